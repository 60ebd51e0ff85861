/**
 * The sections of a migration's text: the marker between them, their statements and directives, and
 * what is refused.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { parse, refusalTest } from "../support/parsing.ts";

/** The texts of the forward statements and of the undo statements. */
function sections(text: string) {
  const { statements, undoStatements } = parse(text);
  return [statements, undoStatements].map((s) => s?.map(({ text }) => text));
}

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

for (
  const beginning of [
    "UPDATE t SET a = 1 WHERE",
    "INSERT INTO x SELECT id FROM t WHERE",
    "WITH gone AS (DELETE FROM t WHERE b) SELECT 1 FROM t WHERE",
    "SELECT mend(id) FROM t WHERE",
  ]
) {
  Deno.test(`parseMigration() takes "${beginning} …" for a backfill`, () => {
    const { statements: [{ directives }] } = parse(
      `-- @BACKFILL table=t key=id\n${beginning} id BETWEEN $from AND $to`,
    );
    assertEquals(directives.backfill?.key, "id");
  });
}

Deno.test("parseMigration() takes a NUL character in a comment that isn't sent", () => {
  assertEquals(sections("-- a\0b\nSELECT 1 -- c\0d\n"), [
    ["SELECT 1"],
    undefined,
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
      "SELECT 1;\nSELECT 'a\0b';",
      "2:10",
      "the statement has a NUL character; remove it, or save the file as UTF-8",
    ],
    [
      "SELECT 1;\n-- @UNDO\n\0SELECT 2;",
      "3:1",
      "the statement has a NUL character; remove it, or save the file as UTF-8",
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
    ...[
      ["CREATE TABLE x AS SELECT id FROM t WHERE", "CREATE TABLE AS"],
      ["SELECT id INTO x FROM t WHERE", "SELECT INTO"],
      ["EXPORT INTO CSV 'x' FROM SELECT id FROM t WHERE", "EXPORT"],
      ["'x'", "the statement"],
    ].map(([beginning, verb]): [string, string, string] => [
      `INSERT INTO t VALUES (1);\n-- @BACKFILL table=t key=id\n  ${beginning} id BETWEEN $from AND $to`,
      "3:3",
      `${verb} can't be run in chunks; write a data statement with $from and $to below @BACKFILL`,
    ]),
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
  ]
) {
  refusalTest(text, { place, problem });
}
