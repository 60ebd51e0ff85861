ALTER INDEX events_kind RENAME TO events_sort;
-- @UNDO
ALTER INDEX events_sort RENAME TO events_kind;
