-- postgres
-- every batch of samples rewrites every host's row: with room in its page no index has to follow
ALTER TABLE host SET (fillfactor = 40);
