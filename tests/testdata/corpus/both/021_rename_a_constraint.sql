ALTER TABLE accounts RENAME CONSTRAINT balance_known TO balance_bound;
-- @UNDO
ALTER TABLE accounts RENAME CONSTRAINT balance_bound TO balance_known;
