CREATE TABLE books (id INT8 PRIMARY KEY, title TEXT);
INSERT INTO books VALUES (1, 'one'), (2, 'two');
ALTER TABLE books ADD COLUMN pages INT8;
UPDATE books SET pages = 100 + id;
UPDATE counters SET n = n + 1 WHERE name = 'runs';
CREATE INDEX books_pages ON books (pages);
ALTER TABLE books ADD COLUMN shelf TEXT DEFAULT 'A; -- not a comment';
UPDATE counters SET n = n + 1 WHERE name = 'runs';
-- @UNDO
UPDATE counters SET n = n - 2 WHERE name = 'runs';
DROP TABLE books;
