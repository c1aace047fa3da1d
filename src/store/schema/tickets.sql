CREATE TABLE ticket (
  id {id},
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  scope TEXT NOT NULL,
  severity TEXT NOT NULL,
  level TEXT NOT NULL,
  state TEXT NOT NULL,
  channel TEXT NOT NULL,
  reporter TEXT NOT NULL,
  owner TEXT,
  created_at BIGINT NOT NULL,
  reported_at BIGINT NOT NULL,
  follow_up_at BIGINT,
  pause_reason TEXT,
  flag TEXT,
  response_due BIGINT,
  response_breach_at BIGINT,
  response_met_at BIGINT,
  response_breached {bool} NOT NULL,
  response_excused {bool} NOT NULL DEFAULT FALSE,
  resolution_due BIGINT,
  resolution_breach_at BIGINT,
  resolved_at BIGINT,
  resolution_breached {bool} NOT NULL,
  resolution_excused {bool} NOT NULL DEFAULT FALSE,
  born_late {bool} NOT NULL,
  urgency BIGINT NOT NULL,
  risk_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  merged_into BIGINT,
  continues BIGINT,
  reports BIGINT NOT NULL DEFAULT 1,
  cause TEXT,
  solution TEXT,
  intake_key TEXT,
  is_open {bool} NOT NULL,
  version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX ticket_open ON ticket(urgency, id, risk_at) WHERE is_open;
CREATE INDEX ticket_risk ON ticket(risk_at, urgency, id) WHERE is_open;
CREATE INDEX ticket_owner ON ticket(owner, urgency, id) WHERE is_open;
CREATE INDEX ticket_waiting ON ticket(urgency, id) WHERE is_open AND state = 'waiting';
CREATE INDEX ticket_next ON ticket(next_at) WHERE is_open;
CREATE UNIQUE INDEX ticket_intake ON ticket(intake_key) WHERE intake_key IS NOT NULL;
CREATE TABLE ticket_event (
  ticket_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (ticket_id, n)
);
CREATE TABLE ticket_fired (
  ticket_id BIGINT NOT NULL,
  clock TEXT NOT NULL,
  percent BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (ticket_id, clock, percent)
);
-- sqlite
CREATE VIRTUAL TABLE ticket_search USING fts5(words, content='', contentless_delete=1, tokenize='unicode61');
CREATE TRIGGER ticket_event_no_update BEFORE UPDATE ON ticket_event BEGIN SELECT RAISE(ABORT, 'what happened to a ticket is append-only'); END;
-- postgres
CREATE TABLE ticket_search (id BIGINT NOT NULL PRIMARY KEY, words TSVECTOR NOT NULL);
CREATE INDEX ticket_search_words ON ticket_search USING gin (words);
CREATE FUNCTION zhiban_ticket_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'what happened to a ticket is append-only'; END $$;
CREATE TRIGGER ticket_event_no_update BEFORE UPDATE ON ticket_event
  FOR EACH ROW EXECUTE FUNCTION zhiban_ticket_event_refuse();
-- both
