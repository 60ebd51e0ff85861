DROP INDEX events_kind;
-- @UNDO
CREATE INDEX events_kind ON events (kind);
