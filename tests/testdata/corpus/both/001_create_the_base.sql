CREATE TABLE accounts (
  id INT8 PRIMARY KEY,
  name TEXT NOT NULL,
  balance INT8 NOT NULL DEFAULT 0,
  rank INT8 NOT NULL DEFAULT 0,
  kind TEXT DEFAULT 'plain',
  code VARCHAR(20),
  spare TEXT,
  CONSTRAINT balance_known CHECK (balance > -1000)
);
CREATE TABLE events (
  id INT8 PRIMARY KEY,
  account INT8,
  kind TEXT
);
CREATE INDEX events_kind ON events (kind);
CREATE TABLE counters (name TEXT PRIMARY KEY, n INT8 NOT NULL);
CREATE TABLE obsolete (id INT8 PRIMARY KEY);
CREATE SEQUENCE tickets;
CREATE TYPE mood AS ENUM ('sad', 'fine');
CREATE VIEW rich AS SELECT id, name FROM accounts WHERE balance > 100;
INSERT INTO accounts (id, name, balance, code)
SELECT i, 'account ' || i, i * 10, 'c' || i FROM generate_series(1, 20) AS g (i);
INSERT INTO events SELECT i, i, 'opened' FROM generate_series(1, 20) AS g (i);
INSERT INTO counters VALUES ('runs', 0);
-- @UNDO
DROP VIEW rich;
DROP TYPE mood;
DROP SEQUENCE tickets;
DROP TABLE obsolete;
DROP TABLE counters;
DROP TABLE events;
DROP TABLE accounts;
