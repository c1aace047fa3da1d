CREATE TABLE article (
  id {id},
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  tags TEXT NOT NULL,
  audience TEXT NOT NULL,
  state TEXT NOT NULL,
  review_on TEXT,
  source_key TEXT UNIQUE,
  ticket_id BIGINT,
  version BIGINT NOT NULL,
  author TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  answered BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX article_ticket ON article(ticket_id) WHERE ticket_id IS NOT NULL;
CREATE TABLE article_version (
  article_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  tags TEXT NOT NULL,
  author TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (article_id, version)
);
CREATE TABLE review (
  ticket_id BIGINT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  scope TEXT NOT NULL,
  cause TEXT NOT NULL,
  handling TEXT NOT NULL,
  helped TEXT NOT NULL,
  facts TEXT NOT NULL,
  author TEXT NOT NULL,
  reviewer TEXT,
  article_id BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE review_action (
  review_id BIGINT NOT NULL,
  ticket_id BIGINT NOT NULL,
  owner TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  PRIMARY KEY (review_id, ticket_id)
);
-- sqlite
CREATE VIRTUAL TABLE article_search USING fts5(words, content='', contentless_delete=1, tokenize='unicode61');
-- postgres
CREATE TABLE article_search (id BIGINT NOT NULL PRIMARY KEY, words TSVECTOR NOT NULL);
CREATE INDEX article_search_words ON article_search USING gin (words);
-- both
