CREATE TABLE journal (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  origin TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  verb TEXT NOT NULL,
  detail TEXT NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX journal_subject ON journal(subject_kind, subject_id, seq);
CREATE TABLE change (topic TEXT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL);
CREATE TABLE operator (
  name TEXT NOT NULL PRIMARY KEY,
  role TEXT NOT NULL,
  key_fingerprint TEXT UNIQUE,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE lease (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  until BIGINT NOT NULL
);
CREATE TABLE holiday_list (
  year BIGINT NOT NULL PRIMARY KEY,
  days TEXT NOT NULL,
  source TEXT NOT NULL
);
-- sqlite
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
-- postgres
CREATE FUNCTION zhiban_journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$;
CREATE TRIGGER journal_no_change BEFORE UPDATE OR DELETE ON journal
  FOR EACH ROW EXECUTE FUNCTION zhiban_journal_refuse();
CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal
  FOR EACH STATEMENT EXECUTE FUNCTION zhiban_journal_refuse();
-- both
