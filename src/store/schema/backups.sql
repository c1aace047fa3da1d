CREATE TABLE backup_system (
  name TEXT NOT NULL PRIMARY KEY,
  tool TEXT NOT NULL,
  repository TEXT,
  offsite_repository TEXT
);
CREATE TABLE backup (
  system TEXT NOT NULL,
  id TEXT NOT NULL,
  offsite {bool} NOT NULL,
  started_at BIGINT NOT NULL,
  is_full {bool} NOT NULL,
  failed {bool} NOT NULL,
  bytes BIGINT,
  PRIMARY KEY (system, id, offsite)
);
