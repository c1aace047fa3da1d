ALTER TABLE ticket ADD COLUMN category TEXT;
ALTER TABLE ticket ADD COLUMN handling BIGINT;
ALTER TABLE ticket ADD COLUMN safe_start BIGINT NOT NULL DEFAULT 1152921504606846976;
ALTER TABLE ticket ADD COLUMN safe_stale {bool} NOT NULL DEFAULT TRUE;
CREATE INDEX ticket_safe ON ticket(safe_start, id) WHERE is_open;
CREATE INDEX ticket_safe_owner ON ticket(owner, safe_start, id) WHERE is_open;
CREATE INDEX ticket_safe_waiting ON ticket(safe_start, id) WHERE is_open AND state = 'waiting';
CREATE INDEX ticket_safe_stale ON ticket(id) WHERE is_open AND safe_stale;
CREATE INDEX ticket_unmeasured ON ticket(resolved_at) WHERE state = 'resolved' AND handling IS NULL;
CREATE INDEX ticket_measured ON ticket(resolved_at) WHERE handling >= 0;
CREATE TABLE handling (
  category TEXT NOT NULL,
  level TEXT NOT NULL,
  n BIGINT NOT NULL,
  median BIGINT NOT NULL,
  PRIMARY KEY (category, level)
);
