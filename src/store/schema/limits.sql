CREATE INDEX quarantine_source ON quarantine(channel, source) WHERE state = 'held';
CREATE INDEX ticket_open_key ON ticket(intake_key) WHERE is_open AND intake_key IS NOT NULL;
