CREATE TABLE token (
  id {id},
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  revoked_at BIGINT
);
CREATE TABLE arrival (
  id {id},
  channel TEXT NOT NULL,
  source TEXT NOT NULL,
  key TEXT,
  digest TEXT NOT NULL,
  ticket_id BIGINT NOT NULL,
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  contact TEXT NOT NULL,
  module TEXT NOT NULL,
  answer TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE UNIQUE INDEX arrival_key ON arrival(channel, source, key) WHERE key IS NOT NULL;
CREATE INDEX arrival_person ON arrival(channel, source, address, at);
CREATE INDEX arrival_ticket ON arrival(ticket_id, at);
CREATE TABLE quarantine (
  id {id},
  at BIGINT NOT NULL,
  channel TEXT NOT NULL,
  source TEXT NOT NULL,
  reason TEXT NOT NULL,
  body {bytes} NOT NULL,
  digest TEXT NOT NULL,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  result TEXT NOT NULL DEFAULT '',
  UNIQUE (channel, source, digest)
);
CREATE INDEX quarantine_held ON quarantine(id) WHERE state = 'held';
CREATE TABLE service (
  name TEXT NOT NULL PRIMARY KEY,
  address TEXT NOT NULL,
  version TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  at BIGINT NOT NULL,
  finding TEXT NOT NULL
);
CREATE TABLE satisfaction (
  ticket_id BIGINT NOT NULL PRIMARY KEY,
  score BIGINT NOT NULL,
  comment TEXT NOT NULL,
  channel TEXT NOT NULL,
  at BIGINT NOT NULL
);
