CREATE TABLE workflow (
  id {id},
  name TEXT NOT NULL UNIQUE,
  imported_at BIGINT NOT NULL,
  source TEXT NOT NULL
);
CREATE TABLE workflow_case (
  workflow_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  events TEXT NOT NULL,
  PRIMARY KEY (workflow_id, name)
);
