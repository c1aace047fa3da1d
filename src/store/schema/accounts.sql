CREATE TABLE account (
  system TEXT NOT NULL,
  account TEXT NOT NULL,
  data TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (system, account)
);
CREATE TABLE person (
  person TEXT NOT NULL PRIMARY KEY,
  data TEXT NOT NULL,
  seen_at BIGINT NOT NULL
);
CREATE TABLE account_decision (
  finding TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  until BIGINT,
  actor TEXT NOT NULL,
  at BIGINT NOT NULL
);
