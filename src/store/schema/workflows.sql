-- both
CREATE TABLE workflow (
  id {id},
  name TEXT NOT NULL UNIQUE,
  cases BIGINT NOT NULL,
  events BIGINT NOT NULL,
  activities BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  imported_at BIGINT NOT NULL,
  source TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE TABLE workflow_word (
  workflow_id BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  no BIGINT NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (workflow_id, kind, no)
);
CREATE TABLE workflow_case (
  workflow_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  last_at BIGINT NOT NULL,
  events {bytes} NOT NULL,
  PRIMARY KEY (workflow_id, name)
);
