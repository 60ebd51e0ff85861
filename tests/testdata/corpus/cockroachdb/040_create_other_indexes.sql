CREATE INDEX events_hash ON events (account) USING HASH WITH BUCKET_COUNT = 4;
CREATE INDEX accounts_stored ON accounts (name) STORING (balance);
-- @UNDO
DROP INDEX accounts@accounts_stored;
DROP INDEX events@events_hash;
