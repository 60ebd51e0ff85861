ALTER TABLE events ADD CONSTRAINT events_account FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE;
-- @UNDO
ALTER TABLE events DROP CONSTRAINT events_account;
