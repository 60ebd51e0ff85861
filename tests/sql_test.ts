import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SqlTextError } from "../src/errors.ts";
import {
  caret,
  offsetOfPosition,
  position,
  quoteIdentifier,
  quoteLiteral,
  quoteName,
  splitName,
  tokenize,
} from "../src/sql.ts";

Deno.test("quoteIdentifier() doubles quotes and keeps dots", () => {
  assertEquals(quoteIdentifier('a"b.C'), '"a""b.C"');
});

Deno.test("quoteIdentifier() refuses an empty name and a NUL", () => {
  assertThrows(
    () => quoteIdentifier(""),
    SqlTextError,
    "Cannot read the SQL at offset 0: a name is empty; give it a character",
  );
  assertThrows(
    () => quoteIdentifier("a\0b"),
    SqlTextError,
    "Cannot read the SQL at offset 1: a name holds a NUL character; remove it",
  );
});

Deno.test("quoteName() quotes every part", () => {
  assertEquals(quoteName("users"), '"users"');
  assertEquals(quoteName("app.Users"), '"app"."Users"');
  assertEquals(quoteName("db.app.users"), '"db"."app"."users"');
});

Deno.test("quoteName() keeps the dots and quotes of a part in quotes", () => {
  assertEquals(quoteName('app."My.Table"'), '"app"."My.Table"');
  assertEquals(quoteName('"a""b".c'), '"a""b"."c"');
});

Deno.test("quoteName() can't be led out of its quotes", () => {
  assertEquals(quoteName('a" ; DROP'), '"a"" ; DROP"');
  fc.assert(fc.property(fc.string({ minLength: 1 }), (name) => {
    let quoted;
    try {
      quoted = quoteName(name);
    } catch (error) {
      return error instanceof SqlTextError;
    }
    const kinds = tokenize(quoted).map(({ kind }) => kind);
    return kinds.every((kind, i) =>
      kind === (i % 2 === 0 ? "identifier" : "punctuation")
    );
  }));
});

for (
  const [name, offset, problem] of [
    ["", 0, 'a part of the name "" is empty; give it a character'],
    ["a.", 2, 'a part of the name "a." is empty; give it a character'],
    ['a.""', 2, 'a part of the name "a.""" is empty; give it a character'],
    [
      'a."b',
      2,
      `the quotes in the name a."b don't match; close them before the dot`,
    ],
    [
      '"a"b.c',
      0,
      `the quotes in the name "a"b.c don't match; close them before the dot`,
    ],
    [
      "a.b.c.d",
      0,
      'the name "a.b.c.d" has 4 parts; give at most database.schema.table',
    ],
  ] as const
) {
  Deno.test(`splitName() refuses ${JSON.stringify(name)}`, () => {
    const error = assertThrows(() => splitName(name), SqlTextError);
    assertEquals(error.problem, problem);
    assertEquals(error.offset, offset);
  });
}

Deno.test("quoteLiteral() doubles quotes, and escapes backslashes", () => {
  assertEquals(quoteLiteral("it's"), "'it''s'");
  assertEquals(quoteLiteral("a\\'"), "E'a\\\\'''");
});

Deno.test("quoteLiteral() refuses a NUL", () => {
  assertThrows(
    () => quoteLiteral("\0"),
    SqlTextError,
    "Cannot read the SQL at offset 0: a string holds a NUL character; remove it",
  );
});

Deno.test("quoteLiteral() makes one string token of anything", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const literal = quoteLiteral(text.replaceAll("\0", ""));
    assertEquals(tokenize(literal), [
      { kind: "string", start: 0, end: literal.length },
    ]);
  }));
});

Deno.test("position() counts lines and characters from 1", () => {
  const sql = "SELECT 1;\r\n  '😀é' x\n";
  assertEquals(position(sql, 0), { line: 1, column: 1, lineText: "SELECT 1;" });
  assertEquals(position(sql, sql.indexOf("x")), {
    line: 2,
    column: 8,
    lineText: "  '😀é' x",
  });
  assertEquals(position(sql, sql.length), { line: 3, column: 1, lineText: "" });
});

Deno.test("offsetOfPosition() reads a server's position in characters", () => {
  const text = "SELECT '😀', x";
  assertEquals(offsetOfPosition(text, 1), 0);
  assertEquals(offsetOfPosition(text, 13), text.indexOf("x"));
  assertEquals(offsetOfPosition(text, 99), text.length);
});

Deno.test("caret() shows the part around it of a long line", () => {
  const line = "a".repeat(80) + "\t" + "b".repeat(80);
  const shown = (offset: number) => caret(`SELECT 1;\n${line}\n`, 10 + offset);
  assertEquals(shown(0), `${line.slice(0, 100)}…\n^`);
  assertEquals(
    shown(90),
    `…${line.slice(40, 140)}…\n${" ".repeat(41)}\t${" ".repeat(9)}^`,
  );
  assertEquals(
    shown(161),
    `…${line.slice(61)}\n${" ".repeat(20)}\t${" ".repeat(80)}^`,
  );
  const short = "c".repeat(100);
  assertEquals(caret(short, 99), `${short}\n${" ".repeat(99)}^`);
});

Deno.test("caret() points under the character and keeps tabs", () => {
  assertEquals(
    caret("SELECT 1,\n\t'😀' x FROM t", 16),
    "\t'😀' x FROM t\n\t    ^",
  );
});
