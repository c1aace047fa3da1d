CREATE TABLE outbox (
  id {id},
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  cause TEXT NOT NULL,
  ticket_id BIGINT,
  thread TEXT NOT NULL DEFAULT '',
  dedupe TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  sent_at BIGINT,
  digest_of BIGINT
);
CREATE INDEX outbox_queued ON outbox(channel, recipient, id) WHERE state = 'queued';
CREATE INDEX outbox_dead ON outbox(id) WHERE state = 'dead';
CREATE INDEX outbox_sent ON outbox(channel, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_ticket ON outbox(ticket_id) WHERE ticket_id IS NOT NULL;
CREATE TABLE follower (
  name TEXT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL
);
CREATE TABLE rota (
  id BIGINT NOT NULL PRIMARY KEY,
  people TEXT NOT NULL,
  holiday_people TEXT NOT NULL,
  starts_at BIGINT NOT NULL,
  hand_over TEXT NOT NULL,
  days BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE rota_override (
  id {id},
  person TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  removed_at BIGINT
);
CREATE TABLE escalation (
  id {id},
  ticket_id BIGINT NOT NULL,
  clock TEXT NOT NULL,
  percent BIGINT NOT NULL,
  rule BIGINT NOT NULL,
  state TEXT NOT NULL,
  next_at BIGINT NOT NULL,
  told BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  ended_by TEXT NOT NULL DEFAULT '',
  UNIQUE (ticket_id, clock, percent, rule)
);
CREATE INDEX escalation_due ON escalation(next_at) WHERE state = 'open';
CREATE INDEX escalation_ticket ON escalation(ticket_id) WHERE state = 'open';
ALTER TABLE ticket_fired ADD COLUMN escalated {bool} NOT NULL DEFAULT FALSE;
CREATE INDEX ticket_fired_new ON ticket_fired(at) WHERE NOT escalated;
