CREATE TYPE colour AS ENUM ('red', 'green');
ALTER TYPE colour ADD VALUE 'blue';
ALTER TYPE colour ADD VALUE IF NOT EXISTS 'cyan' AFTER 'red';
ALTER TYPE colour RENAME VALUE 'red' TO 'crimson';
CREATE TABLE walls (id INT8 PRIMARY KEY, paint colour);
-- @UNDO
DROP TABLE walls;
DROP TYPE colour;
