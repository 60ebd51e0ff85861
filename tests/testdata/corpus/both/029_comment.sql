COMMENT ON TABLE accounts IS 'Who has what; it''s in cents';
COMMENT ON COLUMN accounts.balance IS 'cents';
-- @UNDO
COMMENT ON COLUMN accounts.balance IS NULL;
COMMENT ON TABLE accounts IS NULL;
