import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MigrationError } from "../../src/errors.ts";
import {
  formatMigration,
  parseMigration,
  statementHash,
} from "../../src/migration/file.ts";
import { splitStatements } from "../../src/sql.ts";

Deno.test("formatMigration() removes the indentation of a template string", () => {
  assertEquals(
    formatMigration(
      "create users table",
      `
      CREATE TABLE users (
          id UUID PRIMARY KEY
      );

      CREATE INDEX ON users (id);
      `,
      `
      DROP TABLE users;
      `,
    ),
    `-- Migration: create users table

CREATE TABLE users (
    id UUID PRIMARY KEY
);

CREATE INDEX ON users (id);

-- @UNDO

DROP TABLE users;
`,
  );
});

Deno.test("formatMigration() writes no marker without undo SQL", () => {
  const text = "-- Migration: a\n\nSELECT 1\n";
  assertEquals(formatMigration("a", "SELECT 1"), text);
  assertEquals(formatMigration("a", "SELECT 1", " \n"), text);
});

Deno.test("formatMigration() keeps the indentation inside of strings", () => {
  const forward = `
    SELECT 'a
    b', $$
    c
    $$;
  `;
  const text = formatMigration("a", forward);
  assertEquals(
    text,
    "-- Migration: a\n\nSELECT 'a\n    b', $$\n    c\n    $$;\n",
  );
});

Deno.test("formatMigration() makes a file to be filled in where there is no SQL", () => {
  const text = formatMigration("a");
  assertEquals(
    text,
    `-- Migration: a

-- Write the statements below this line, each with a semicolon at its end.
-- While there is none, crdb migrate stops at this file and applies nothing.

-- @UNDO

-- Write the statements that take it back below this line. Where nothing can,
-- delete the rest of the file, from the marker on: then rollback refuses.
`,
  );
  const error = assertThrows(
    () => parseMigration({ name: "1_a.sql", text }),
    MigrationError,
  );
  assertEquals(
    error.message,
    "Cannot read the migration 1_a.sql:1:1: it has no forward statement; write one, or delete the file",
  );
});

for (
  const [forward, undo, problem] of [
    ["", undefined, "it has no forward statement; write one"],
    [" ;\n-- todo", "SELECT 1", "it has no forward statement; write one"],
    [
      "SELECT 1;\n BEGIN; SELECT 2; COMMIT",
      undefined,
      "in line 2, column 2 of the forward SQL, BEGIN has no place: statements are run and noted one by one, " +
      "for CockroachDB commits an open transaction before a schema change; remove it",
    ],
    [
      "SELECT 1",
      "DROP TABLE a; COMMIT",
      "in line 1, column 15 of the undo SQL, COMMIT has no place: statements are run and noted one by one, " +
      "for CockroachDB commits an open transaction before a schema change; remove it",
    ],
  ] as const
) {
  Deno.test(`formatMigration() refuses ${JSON.stringify([forward, undo])}`, () => {
    const error = assertThrows(
      () => formatMigration("a", forward, undo),
      MigrationError,
    );
    assertEquals(
      error.message,
      `Cannot create the migration "a": ${problem}`,
    );
  });
}

Deno.test("formatMigration() lets no description be a directive", () => {
  assertEquals(
    formatMigration("@UNDO\n-- @UNDO", "SELECT 1"),
    "-- Migration: @UNDO -- @UNDO\n\nSELECT 1\n",
  );
});

Deno.test("formatMigration() keeps directives at the top", () => {
  const text = formatMigration("a", "  -- @TIMEOUT 10m\n  SELECT 1");
  const { statements } = parseMigration({ name: "1_a.sql", text });
  assertEquals(statements[0].directives, { timeoutMs: 600_000 });
});

Deno.test("formatMigration() refuses a marker in the SQL", () => {
  const error = assertThrows(
    () => formatMigration("a", "SELECT 1;\n  -- @UNDO\nSELECT 2"),
    MigrationError,
  );
  assertEquals(
    error.message,
    'Cannot create the migration "a": in line 2, column 3 of the forward SQL, ' +
      'a line is the marker "-- @UNDO"; give the undo SQL apart',
  );
});

Deno.test("formatMigration() refuses SQL that can't be split", () => {
  const error = assertThrows(
    () => formatMigration("a", "SELECT 1", "SELECT 'x"),
    MigrationError,
  );
  assertEquals(
    error.message,
    'Cannot create the migration "a": in line 1, column 8 of the undo SQL, ' +
      "the string is not closed; close it with '",
  );
});

Deno.test("formatMigration() gives back the statements that it was given", () => {
  const fragment = fc.constantFrom(
    "SELECT 1",
    ";",
    "\n",
    "\n\n    ",
    "  ",
    "\t",
    "'a\n  b'",
    "$$\n x;\n$$",
    "-- c\n",
    "/* \n  c */",
    '"q\n  r"',
  );
  const sql = fc.array(fragment, { maxLength: 20 }).map((parts) =>
    parts.join(" ")
  );
  const hashes = (text: string) =>
    splitStatements(text).map((statement) => statementHash(statement.text));
  fc.assert(
    fc.property(sql, sql, (forward, undo) => {
      const text = formatMigration("a", `SELECT 0;${forward}`, undo);
      const file = parseMigration({ name: "1_a.sql", text });
      assertEquals(
        file.statements.map(({ hash }) => hash),
        hashes(`SELECT 0;${forward}`),
      );
      assertEquals(
        file.undoStatements?.map(({ hash }) => hash),
        undo.trim() === "" ? undefined : hashes(undo),
      );
    }),
    { numRuns: 500 },
  );
});
