CREATE TABLE presence (
  session TEXT NOT NULL PRIMARY KEY,
  ticket_id BIGINT NOT NULL,
  operator TEXT NOT NULL,
  doing TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX presence_ticket ON presence(ticket_id, at);
