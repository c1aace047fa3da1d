CREATE TABLE mailbox (
  name TEXT NOT NULL PRIMARY KEY,
  uid_validity BIGINT NOT NULL,
  last_uid BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE TABLE attachment (
  id {id},
  ticket_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  mime TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX attachment_ticket ON attachment(ticket_id);
