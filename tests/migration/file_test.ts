/**
 * Migrations as files: their names, order and checksums.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { MigrationError } from "../../src/errors.ts";
import {
  checksum,
  parseMigration,
  parseMigrations,
  readMigrations,
  statementHash,
} from "../../src/migration/file.ts";

const GUIDE = `-- Forward migration
CREATE TABLE users (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid()
);

-- @UNDO

-- Undo migration
DROP TABLE users;
`;

Deno.test("parseMigration() reads the guide's file", () => {
  const file = parseMigration({
    name: "20230101120000_create_users_table.sql",
    text: GUIDE,
  });
  const forward = GUIDE.slice(GUIDE.indexOf("CREATE"), GUIDE.indexOf(";"));
  assertEquals(file.version, "20230101120000");
  assertEquals(file.description, "create users table");
  assertEquals(file.name, "20230101120000_create_users_table.sql");
  assertEquals(file.path, file.name);
  assertEquals(file.text, GUIDE);
  assertEquals(file.checksum, checksum(GUIDE));
  assertEquals(
    file.statements.map((s) => ({ ...s, hash: s.hash })),
    [{
      text: forward,
      offset: 21,
      line: 2,
      column: 1,
      directives: {},
      hash: statementHash(forward),
    }],
  );
  assertEquals(
    file.undoStatements?.map((s) => ({ ...s, hash: s.hash })),
    [{
      text: "DROP TABLE users",
      offset: GUIDE.indexOf("DROP"),
      line: 9,
      column: 1,
      directives: {},
      hash: statementHash("DROP TABLE users"),
    }],
  );
});

Deno.test("parseMigrations() sorts by version and passes over other files", () => {
  const text = "SELECT 1";
  const names = ["10_c.sql", "README.md", "9_b.sql", ".1_x.sql", "008_a.sql"];
  const files = parseMigrations(names.map((name) => ({ name, text })));
  assertEquals(files.map(({ version }) => version), ["008", "9", "10"]);
});

Deno.test("readMigrations() gives what can be read, and says why the rest can't", () => {
  const text = "SELECT 1";
  const { files, unreadable } = readMigrations([
    { name: "4_d.sql", text },
    { name: "3_c.sql", text: "" },
    { name: "2_b.sql", text },
    { name: "02_b.sql", text },
    { name: "x.sql", text },
    { name: "1_a.sql", text },
  ]);
  assertEquals(files.map(({ version }) => version), ["1", "4"]);
  assertEquals(
    unreadable.map(({ version, file }) => [version, file]),
    [["3", "3_c.sql"], [undefined, "x.sql"], ["02", "02_b.sql"]],
  );
});

Deno.test("readMigrations() gives the error of a file without a text its version and its file", () => {
  const cause = new Error("the disk is gone");
  const error = new MigrationError("Cannot read it: mend the disk", { cause });
  const entries = [
    { name: "1_a.sql", text: "SELECT 1" },
    { name: "2_b.sql", path: "db/2_b.sql", text: "", error },
  ];
  const { files, unreadable: [told] } = readMigrations(entries);
  assertEquals(files.map(({ version }) => version), ["1"]);
  assertEquals([told.version, told.file], ["2", "db/2_b.sql"]);
  assertEquals([told.message, told.cause], [error.message, cause]);
  assertThrows(() => parseMigrations(entries), MigrationError, error.message);
});

Deno.test("parseMigrations() names both files of one version", () => {
  const text = "SELECT 1";
  const error = assertThrows(
    () =>
      parseMigrations([{ name: "1_b.sql", text }, { name: "001_a.sql", text }]),
    MigrationError,
  );
  assertEquals(
    error.message,
    'Cannot order the migrations: "1_b.sql" and "001_a.sql" have the same version; ' +
      "give one of them another",
  );
});

Deno.test("parseMigrations() reports a file that is not a migration", () => {
  assertThrows(
    () => parseMigrations([{ name: "users.sql", text: "SELECT 1" }]),
    MigrationError,
    'Cannot read the migration "users.sql": its name is not of the form',
  );
});

Deno.test("checksum() takes no notice of line ends, trailing blanks and a byte order mark", () => {
  assertEquals(
    checksum("\ufeffSELECT 1; \r\n\r\nSELECT 2;\t\r\n\r\n"),
    checksum("SELECT 1;\n\nSELECT 2;"),
  );
});

Deno.test("checksum() is the SHA-256 of the text", () => {
  assertEquals(
    checksum("abc\n"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

Deno.test("checksum() notices every other change", () => {
  const texts = ["SELECT 1", " SELECT 1", "SELECT  1", "select 1", "SELECT\n1"];
  assertEquals(new Set(texts.map(checksum)).size, texts.length);
});

Deno.test("statementHash() takes no notice of comments and blanks", () => {
  assertEquals(
    statementHash("SELECT 1, 'a\r\nb' -- why\r\n FROM t"),
    statementHash("SELECT\n  1 /* one */,'a\nb'   FROM t"),
  );
});

Deno.test("statementHash() notices a change inside a string", () => {
  assert(statementHash("SELECT 'a b'") !== statementHash("SELECT 'a  b'"));
});
