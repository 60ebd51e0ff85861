CREATE TABLE papers (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), body JSONB);
CREATE INVERTED INDEX papers_body ON papers (body);
CREATE INDEX accounts_stored ON accounts (name) STORING (balance);
-- @UNDO
DROP INDEX accounts@accounts_stored;
DROP INDEX papers_body;
DROP TABLE papers;
