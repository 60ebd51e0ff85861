import { assert, assertEquals, assertThrows } from "@std/assert";
import { MigrationError } from "../../src/errors.ts";
import {
  checksum,
  parseMigration,
  parseMigrations,
  readMigrations,
  statementHash,
} from "../../src/migration/file.ts";

function parse(text: string) {
  return parseMigration({ name: "1_a.sql", path: "migrations/1_a.sql", text });
}

/** The texts of the forward statements and of the undo statements. */
function sections(text: string) {
  const { statements, undoStatements } = parse(text);
  return [statements, undoStatements].map((s) => s?.map(({ text }) => text));
}

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

Deno.test("parseMigration() counts lines and columns in characters", () => {
  const { statements } = parse("SELECT '😀'; SELECT 2;\r\n\r\n  SELECT 3");
  assertEquals(
    statements.map(({ line, column }) => [line, column]),
    [[1, 1], [1, 13], [3, 3]],
  );
});

Deno.test("parseMigration() takes a file without a marker for one that can't be rolled back", () => {
  assertEquals(sections("SELECT 1"), [["SELECT 1"], undefined]);
});

Deno.test("parseMigration() takes nothing below the marker for nothing to undo", () => {
  assertEquals(sections("SELECT 1;\n-- @UNDO\n-- nothing"), [["SELECT 1"], []]);
});

Deno.test("parseMigration() accepts CRLF, a byte order mark and a missing last semicolon", () => {
  assertEquals(
    sections("\ufeffSELECT 1\r\n-- @UNDO\r\nSELECT 2\r\n"),
    [["SELECT 1"], ["SELECT 2"]],
  );
});

for (const marker of ["-- @UNDO", "-- @UNDO  \t", "--@undo", "  --  @Undo"]) {
  Deno.test(`parseMigration() takes ${JSON.stringify(marker)} for the marker`, () => {
    assertEquals(
      sections(`SELECT 1;\n${marker}\nSELECT 2;`),
      [["SELECT 1"], ["SELECT 2"]],
    );
  });
}

for (
  const [where, text] of [
    ["string", "SELECT '\n-- @UNDO\n'"],
    ["E string", "SELECT E'\\'\n-- @UNDO\n'"],
    ["dollar quote", "SELECT $$\n-- @UNDO\n$$"],
    ["tagged dollar quote", "SELECT $f$ $$\n-- @UNDO\n$f$"],
    ["quoted identifier", 'SELECT 1 AS "\n-- @UNDO\n"'],
    ["comment block", "SELECT 1 /*\n/* */\n-- @UNDO\n*/ + 2"],
  ]
) {
  Deno.test(`parseMigration() takes no marker inside a ${where}`, () => {
    assertEquals(sections(text), [[text], undefined]);
  });
}

Deno.test("parseMigration() finds a marker after a false one", () => {
  assertEquals(
    sections("SELECT '\n-- @UNDO\n'\n-- @UNDO\nSELECT 2"),
    [["SELECT '\n-- @UNDO\n'"], ["SELECT 2"]],
  );
});

Deno.test("parseMigration() gives a time limit at the top of a section to all of it", () => {
  const { statements, undoStatements } = parse(`-- why
-- @TIMEOUT 10m
SELECT 1;
-- @TIMEOUT 500ms
SELECT 2;
SELECT 3;
-- @UNDO
SELECT 4;
-- @timeout 1h
SELECT 5;
`);
  assertEquals(statements.map(({ directives }) => directives), [
    { timeoutMs: 600_000 },
    { timeoutMs: 500 },
    { timeoutMs: 600_000 },
  ]);
  assertEquals(undoStatements?.map(({ directives }) => directives), [
    {},
    { timeoutMs: 3_600_000 },
  ]);
});

Deno.test("parseMigration() gives a backfill to the statement below it alone", () => {
  const update = "UPDATE t SET a = 1 WHERE id > $from AND id <= $to";
  const { statements } = parse(
    `-- @BACKFILL table=app.t key=id batch=500 pause=50ms
-- @TIMEOUT 30s
${update};
SELECT 1;
-- @BACKFILL table="My table" key="a,b"
${update};
`,
  );
  assertEquals(statements.map(({ directives }) => directives), [
    {
      timeoutMs: 30_000,
      backfill: { table: "app.t", key: "id", batch: 500, pauseMs: 50 },
    },
    { timeoutMs: 30_000 },
    {
      timeoutMs: 30_000,
      backfill: { table: '"My table"', key: '"a,b"', batch: 1_000, pauseMs: 0 },
    },
  ]);
});

Deno.test("parseMigration() takes an address in a comment for no directive", () => {
  assertEquals(
    sections("-- by bob@example.com\n-- @ noon\nSELECT 1 -- @deprecated\n"),
    [["SELECT 1"], undefined],
  );
});

Deno.test("parseMigration() takes a comment with an unknown word for a comment", () => {
  assertEquals(
    sections(
      "-- @author joe\n-- @deprecated\n-- @TODO later\nSELECT 1;\n-- @see 7\nSELECT 2",
    ),
    [["SELECT 1", "SELECT 2"], undefined],
  );
});

const BACKFILL_FORM = "write @BACKFILL table=… key=… batch=1000 pause=50ms";

for (
  const [text, place, problem] of [
    ["", "1:1", "it has no forward statement; write one, or delete the file"],
    [
      "-- todo\n;\n-- @UNDO\nSELECT 1",
      "1:1",
      "it has no forward statement; write one, or delete the file",
    ],
    [
      "SELECT 1;\n-- @UNDO\nSELECT 2;\n  -- @UNDO\n",
      "4:3",
      'the marker "-- @UNDO" is here a second time after line 2; keep one',
    ],
    [
      "SELECT 1;\n  SELECT 'a",
      "2:10",
      "the string is not closed; close it with '",
    ],
    [
      "SELECT 1;\n-- @UNDO\nSELECT (1;",
      "3:8",
      "the parenthesis is not closed; close it with )",
    ],
    [
      "COPY t FROM STDIN;\nit's\n\\.\n",
      "1:1",
      "COPY … FROM STDIN needs data that a statement can't carry; write INSERT statements",
    ],
    [
      "SELECT 1;\n\n-- @TIMOUT 10m\nSELECT 2",
      "3:1",
      '"@TIMOUT" is not a directive here; the known ones are -- @UNDO, -- @TIMEOUT 10m, ' +
      "-- @BACKFILL table=… key=…",
    ],
    [
      "-- @TIMEOUT 10\nSELECT 1",
      "1:1",
      '"@TIMEOUT 10" is not a time limit; write 500ms, 30s, 10m or 1h',
    ],
    [
      "-- @TIMEOUT 1s\n-- @TIMEOUT 2s\nSELECT 1",
      "2:1",
      "the directive is given twice for one statement; keep one",
    ],
    [
      "SELECT 1;\n-- @UNDO: drop\nDROP TABLE t",
      "2:1",
      '"-- @UNDO: drop" is not the marker; write -- @UNDO with nothing after it',
    ],
    [
      "SELECT 1; -- @UNDO",
      "1:11",
      "the directive has no effect here; put it on a line of its own above a statement",
    ],
    [
      "SELECT 1;\n-- @TIMEOUT 1s\n",
      "2:1",
      "the directive has no effect here; put it on a line of its own above a statement",
    ],
    [
      "-- @BACKFILL table=t key=id\nUPDATE t SET a = 1 WHERE id > $from",
      "2:1",
      "the statement below @BACKFILL has no bounds; compare its key with $from and $to",
    ],
    [
      "SELECT 1;\n-- @BACKFILL table=t key=id\nUPDATE t\nSET a = 1 WHERE id > CAST($from AS INT) AND id <= $to",
      "4:27",
      "$from isn't compared in a way that is sure to include its row; " +
      "write key >= $from AND key <= $to, with a cast as in $from::UUID",
    ],
    ...["UNOD", "und", "Down", "rollback"].map((
      word,
    ): [string, string, string] => [
      `SELECT 1;\n-- @${word}\nDROP TABLE t`,
      "2:1",
      `"@${word}" is not a directive here; the known ones are -- @UNDO, -- @TIMEOUT 10m, ` +
      "-- @BACKFILL table=… key=…",
    ]),
    [
      "-- @BACKFILL key=id\nSELECT 1",
      "1:1",
      `@BACKFILL names no table; ${BACKFILL_FORM}`,
    ],
    [
      "-- @BACKFILL table=t\nSELECT 1",
      "1:1",
      `@BACKFILL names no key; ${BACKFILL_FORM}`,
    ],
    [
      '-- @BACKFILL table=t key="x,1",y\nSELECT 1',
      "1:1",
      `"key="x,1",y" names several columns, and @BACKFILL takes one; ${BACKFILL_FORM}`,
    ],
    [
      "-- @BACKFILL table=t key=id size=1\nSELECT 1",
      "1:1",
      `@BACKFILL has no option "size"; ${BACKFILL_FORM}`,
    ],
    [
      "-- @BACKFILL table=t table=u\nSELECT 1",
      "1:1",
      `@BACKFILL has "table" twice; ${BACKFILL_FORM}`,
    ],
    [
      "-- @BACKFILL table=t all\nSELECT 1",
      "1:1",
      `"all" is not an option of @BACKFILL; ${BACKFILL_FORM}`,
    ],
    [
      "-- @BACKFILL table=t key=id batch=0\nSELECT 1",
      "1:1",
      `"batch=0" is not a number of keys; ${BACKFILL_FORM}`,
    ],
    [
      "-- @BACKFILL table=t key=id pause=5\nSELECT 1",
      "1:1",
      `"pause=5" is not a pause; ${BACKFILL_FORM}`,
    ],
  ]
) {
  Deno.test(`parseMigration() refuses ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => parse(text), MigrationError);
    assertEquals(
      error.message,
      `Cannot read the migration migrations/1_a.sql:${place}: ${problem}`,
    );
    assertEquals(`${error.line}:${error.column}`, place);
    assertEquals(error.file, "migrations/1_a.sql");
    assertEquals(error.version, "1");
  });
}

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
