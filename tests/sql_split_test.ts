import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SqlTextError } from "../src/errors.ts";
import { splitStatements } from "../src/sql_split.ts";
import { tokenize } from "../src/sql_tokens.ts";

function texts(sql: string): string[] {
  return splitStatements(sql).map(({ text }) => text);
}

Deno.test("splitStatements() splits at semicolons and tells where statements start", () => {
  assertEquals(splitStatements("SELECT 1;\n  SELECT 2 ;"), [
    { text: "SELECT 1", offset: 0 },
    { text: "SELECT 2", offset: 12 },
  ]);
});

Deno.test("splitStatements() needs no last semicolon", () => {
  assertEquals(texts("SELECT 1; SELECT 2"), ["SELECT 1", "SELECT 2"]);
});

Deno.test("splitStatements() drops pieces of blanks and comments", () => {
  assertEquals(texts(";; -- a;\n /* b; */ ;"), []);
});

Deno.test("splitStatements() leaves the comments around a statement out", () => {
  assertEquals(
    splitStatements("-- before;\nSELECT /* in; */ 1 -- after;\n; -- last"),
    [{ text: "SELECT /* in; */ 1", offset: 11 }],
  );
});

for (
  const sql of [
    "SELECT ';'",
    "SELECT 'it''s;'",
    "SELECT E'\\';'",
    "SELECT b'\\';'",
    'SELECT 1 AS ";"',
    "SELECT $$;$$",
    "SELECT $a$ $$; $b$; $a$",
    "SELECT 1 /* ; /* ; */ ; */ + 2",
    "SELECT 1 -- ;\n + 2",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
  ]
) {
  Deno.test(`splitStatements() keeps ${JSON.stringify(sql)} whole`, () => {
    assertEquals(texts(`${sql};SELECT 2`), [sql, "SELECT 2"]);
  });
}

Deno.test("splitStatements() keeps the BEGIN ATOMIC body of a function whole", () => {
  const sql = `CREATE FUNCTION f(a int) RETURNS int
    BEGIN ATOMIC
      INSERT INTO t VALUES (1);
      SELECT CASE WHEN a = 1 THEN CASE WHEN true THEN 2 END ELSE 3 END;
    END`;
  assertEquals(texts(`${sql};\nSELECT 1`), [sql, "SELECT 1"]);
});

Deno.test("splitStatements() splits BEGIN and END as statements of their own", () => {
  assertEquals(texts("BEGIN; SELECT 1; END;"), ["BEGIN", "SELECT 1", "END"]);
});

Deno.test("splitStatements() keeps a column called atomic out of its count", () => {
  assertEquals(texts("CREATE TABLE t (atomic INT); SELECT 1"), [
    "CREATE TABLE t (atomic INT)",
    "SELECT 1",
  ]);
});

Deno.test("splitStatements() begins and ends where it is told", () => {
  const sql = "SELECT 0; SELECT 1; -- stop\nSELECT 2";
  const statements = splitStatements(sql, {
    offset: 10,
    endsAt: ({ start, end }) => sql.slice(start, end) === "-- stop",
  });
  assertEquals(statements, [{ text: "SELECT 1", offset: 10 }]);
});

for (
  const [sql, offset, problem] of [
    ["SELECT 1; SELECT 'a", 17, "the string is not closed; close it with '"],
    [
      "SELECT (1, (2);\nSELECT 3",
      7,
      "the parenthesis is not closed; close it with )",
    ],
    [
      "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; ",
      26,
      "BEGIN ATOMIC is not closed; close it with END",
    ],
    [
      "SELECT 1;\n\\connect db",
      10,
      '"\\connect" is a command of psql, not SQL; remove it',
    ],
    [
      "SELECT 1;\nCOPY t (a) FROM STDIN;\nit's\n\\.",
      10,
      "COPY … FROM STDIN needs data that a statement can't carry; write INSERT statements",
    ],
    [
      "COPY (SELECT a FROM t) to stdout WITH CSV",
      0,
      "COPY … TO STDOUT sends rows that nobody takes; remove it, or write SELECT",
    ],
  ] as const
) {
  Deno.test(`splitStatements() refuses ${JSON.stringify(sql)}`, () => {
    const error = assertThrows(() => splitStatements(sql), SqlTextError);
    assertEquals(
      error.message,
      `Cannot read the SQL at offset ${offset}: ${problem}`,
    );
    assertEquals(error.offset, offset);
  });
}

Deno.test("splitStatements() takes COPY from a file for a statement", () => {
  assertEquals(texts("COPY t FROM '/stdin'; SELECT 1").length, 2);
});

Deno.test("splitStatements() loses no token but semicolons and comments", () => {
  const fragments = [
    "SELECT",
    "a",
    ";",
    "';'",
    "$$;$$",
    "(a;b)",
    "--;\n",
    "/*;*/",
    " ",
    "CASE",
    "END",
    "é😀",
    '";"',
    "::",
  ];
  const text = fc.array(fc.constantFrom(...fragments), { maxLength: 40 })
    .map((parts) => parts.join(" "));
  const words = (sql: string) =>
    tokenize(sql)
      .filter(({ kind }) => kind !== "comment")
      .map(({ start, end }) => sql.slice(start, end));
  fc.assert(
    fc.property(text, (sql) => {
      const statements = splitStatements(sql);
      for (const { text, offset } of statements) {
        assertEquals(sql.slice(offset, offset + text.length), text);
      }
      const kept = statements.flatMap(({ text }) => words(text));
      assertEquals(
        kept.filter((word) => word !== ";"),
        words(sql).filter((word) => word !== ";"),
      );
    }),
    { numRuns: 1_000 },
  );
});
