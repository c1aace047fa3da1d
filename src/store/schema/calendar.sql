-- both
ALTER TABLE holiday_list ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE holiday_list ADD COLUMN actor TEXT NOT NULL DEFAULT '';
CREATE TABLE calendar_version (
  version BIGINT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  at BIGINT NOT NULL,
  rules TEXT NOT NULL
);
CREATE TABLE calendar_pass (
  row_id BIGINT NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  upto BIGINT NOT NULL,
  done {bool} NOT NULL
);
ALTER TABLE ticket ADD COLUMN next_due BIGINT;
ALTER TABLE ticket ADD COLUMN next_breach_at BIGINT;
ALTER TABLE ticket ADD COLUMN resolution_used BIGINT;
