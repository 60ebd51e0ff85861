ALTER TYPE mood RENAME TO temper;
-- @UNDO
ALTER TYPE temper RENAME TO mood;
