CREATE TABLE alert_group (
  source TEXT NOT NULL,
  key TEXT NOT NULL,
  ticket_id BIGINT NOT NULL,
  state TEXT NOT NULL,
  severity TEXT NOT NULL,
  place TEXT NOT NULL,
  changes TEXT NOT NULL DEFAULT '',
  flapping {bool} NOT NULL DEFAULT FALSE,
  alerts BIGINT NOT NULL DEFAULT 0,
  truncated BIGINT NOT NULL DEFAULT 0,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (source, key)
);
CREATE INDEX alert_group_ticket ON alert_group(ticket_id);
CREATE INDEX alert_group_place ON alert_group(source, place, last_at);
CREATE TABLE alert (
  source TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  starts_at BIGINT NOT NULL,
  group_key TEXT NOT NULL,
  status TEXT NOT NULL,
  ends_at BIGINT,
  summary TEXT NOT NULL,
  labels TEXT NOT NULL,
  received BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (source, fingerprint, starts_at)
);
CREATE INDEX alert_of_group ON alert(source, group_key, status);
CREATE TABLE alert_sender (
  source TEXT NOT NULL PRIMARY KEY,
  heartbeat_at BIGINT NOT NULL,
  missed_at BIGINT
);
