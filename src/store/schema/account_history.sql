-- both
CREATE TABLE account_import (
  id {id},
  system TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  rows_read BIGINT NOT NULL,
  bad TEXT NOT NULL,
  fields TEXT NOT NULL,
  groups_named TEXT NOT NULL,
  undone_at BIGINT
);
CREATE INDEX account_import_system ON account_import(system, id);
CREATE TABLE account_change (
  import_id BIGINT NOT NULL,
  system TEXT NOT NULL,
  subject TEXT NOT NULL,
  before TEXT,
  after TEXT,
  state TEXT NOT NULL,
  PRIMARY KEY (import_id, subject)
);
CREATE INDEX account_change_subject ON account_change(system, subject);
ALTER TABLE account_decision ADD COLUMN system TEXT NOT NULL DEFAULT '';
ALTER TABLE account_decision ADD COLUMN instruction TEXT NOT NULL DEFAULT '';
