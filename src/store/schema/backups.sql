-- both
CREATE TABLE backup_system (
  id {id},
  name TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
);
CREATE TABLE backup_repo (
  id {id},
  system_id BIGINT NOT NULL,
  offsite {bool} NOT NULL,
  tool TEXT NOT NULL,
  repository TEXT NOT NULL,
  looked_at BIGINT,
  look_state TEXT NOT NULL DEFAULT '',
  look_note TEXT NOT NULL DEFAULT '',
  tool_version TEXT NOT NULL DEFAULT '',
  seen_at BIGINT,
  busy_since BIGINT,
  encryption TEXT NOT NULL DEFAULT '',
  UNIQUE (system_id, offsite)
);
CREATE TABLE backup_run (
  repo_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  at BIGINT NOT NULL,
  ran_at BIGINT NOT NULL,
  ended_at BIGINT,
  name TEXT NOT NULL,
  host TEXT NOT NULL,
  tags TEXT NOT NULL,
  kind TEXT NOT NULL,
  outcome TEXT NOT NULL,
  prior TEXT,
  source_bytes BIGINT,
  added_bytes BIGINT,
  ratio {f64},
  note TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  gone_at BIGINT,
  PRIMARY KEY (repo_id, id)
);
CREATE INDEX backup_run_at ON backup_run(repo_id, at);
CREATE TABLE backup_check (
  id {id},
  repo_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  level BIGINT NOT NULL,
  ok {bool} NOT NULL,
  errors BIGINT,
  minutes {f64},
  share {f64},
  note TEXT NOT NULL,
  digest TEXT NOT NULL,
  UNIQUE (repo_id, digest)
);
CREATE INDEX backup_check_at ON backup_check(repo_id, at);
CREATE TABLE backup_request (
  id {id},
  repo_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  done_at BIGINT,
  note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX backup_request_open ON backup_request(id) WHERE done_at IS NULL;
