-- @BACKFILL table=accounts key=id batch=7
UPDATE accounts SET rank = rank + id WHERE id BETWEEN $from AND $to;
-- @UNDO
-- @BACKFILL table=accounts key=id batch=7
UPDATE accounts SET rank = rank - id WHERE id BETWEEN $from AND $to;
