import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SqlTextError } from "../src/errors.ts";
import { tokenize } from "../src/sql_tokens.ts";

/** The tokens as `kind:text`. */
function read(sql: string): string[] {
  return tokenize(sql).map(({ kind, start, end }) =>
    `${kind}:${sql.slice(start, end)}`
  );
}

Deno.test("tokenize() tells the kinds of tokens apart", () => {
  assertEquals(
    read(`SELECT "a""b", t1.c$d FROM t@i WHERE x >= $1 AND y::INT = 1.5e-3;`),
    [
      "word:SELECT",
      'identifier:"a""b"',
      "punctuation:,",
      "word:t1",
      "punctuation:.",
      "word:c$d",
      "word:FROM",
      "word:t",
      "punctuation:@",
      "word:i",
      "word:WHERE",
      "word:x",
      "punctuation:>=",
      "parameter:$1",
      "word:AND",
      "word:y",
      "punctuation:::",
      "word:INT",
      "punctuation:=",
      "number:1.5e-3",
      "punctuation:;",
    ],
  );
});

Deno.test("tokenize() reads every form of string", () => {
  for (
    const text of [
      "''",
      "'it''s'",
      "'a\\'",
      "E'it\\'s'",
      "e'\\\\'",
      "b'\\''",
      "B'0101'",
      "x'1f'",
      "X'1F'",
      "U&'\\0061''b'",
      "$$it's; $1$$",
      "$tag$ $$ $tag $tag$",
      "$größe$;$größe$",
      "'two\nlines'",
    ]
  ) assertEquals(read(text), [`string:${text}`]);
});

Deno.test("tokenize() does not take a backslash for an escape in a bit string", () => {
  assertEquals(read("B'\\' ';'"), ["string:B'\\'", "string:';'"]);
});

Deno.test("tokenize() opens no dollar quote inside an identifier", () => {
  assertEquals(read("a$b$c $b$d$b$"), ["word:a$b$c", "string:$b$d$b$"]);
});

Deno.test("tokenize() takes $1 and $from for parameters", () => {
  assertEquals(read("$1$2 $from<=$to $$x$$"), [
    "parameter:$1",
    "parameter:$2",
    "parameter:$from",
    "punctuation:<=",
    "parameter:$to",
    "string:$$x$$",
  ]);
});

Deno.test("tokenize() reads line comments and nested block comments", () => {
  assertEquals(read("1 -- it's; /*\n2 /* a /* ; */ ' */ 3-- end"), [
    "number:1",
    "comment:-- it's; /*",
    "number:2",
    "comment:/* a /* ; */ ' */",
    "number:3",
    "comment:-- end",
  ]);
});

Deno.test("tokenize() ends an operator before a comment", () => {
  assertEquals(read("a+--b\n*/**/c"), [
    "word:a",
    "punctuation:+",
    "comment:--b",
    "punctuation:*",
    "comment:/**/",
    "word:c",
  ]);
});

Deno.test("tokenize() reads numbers", () => {
  for (const text of ["0", "1_000", "1.", ".5", "1e10", "2.5E+3", "0xFF"]) {
    assertEquals(read(text), [`number:${text}`]);
  }
});

Deno.test("tokenize() passes over a byte order mark", () => {
  assertEquals(read("\ufeffSELECT"), ["word:SELECT"]);
});

for (
  const [sql, offset, problem] of [
    ["SELECT 'it", 7, "the string is not closed; close it with '"],
    ["SELECT E'\\'", 7, "the string is not closed; close it with '"],
    ["é 'it", 2, "the string is not closed; close it with '"],
    ['a "b', 2, 'the quoted identifier is not closed; close it with "'],
    ["a $x$ $$", 2, "the dollar quote is not closed; close it with $x$"],
    ["a /* /* */", 2, "the comment is not closed; close it with */"],
  ] as const
) {
  Deno.test(`tokenize() refuses ${sql}`, () => {
    const error = assertThrows(
      () => tokenize(sql),
      SqlTextError,
      `Cannot read the SQL at offset ${offset}: ${problem}`,
    );
    assertEquals(error.offset, offset);
    assertEquals(error.problem, problem);
  });
}

const FRAGMENTS = [
  "SELECT",
  "a$b",
  " ",
  "\n",
  "\r\n",
  ";",
  "'",
  "''",
  '"',
  "$$",
  "$t$",
  "$1",
  "--",
  "/*",
  "*/",
  "E'",
  "b'",
  "U&'",
  "\\",
  "(",
  ")",
  "::",
  "1.5",
  "@",
  "é",
  "😀",
];

Deno.test("tokenize() loses nothing: tokens and the blanks between them are the text", () => {
  const text = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 30 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (sql) => {
      let tokens;
      try {
        tokens = tokenize(sql);
      } catch (error) {
        return error instanceof SqlTextError && error.offset < sql.length;
      }
      let end = 0;
      for (const token of tokens) {
        if (sql.slice(end, token.start).trim() !== "") return false;
        if (token.end <= token.start) return false;
        end = token.end;
      }
      return sql.slice(end).trim() === "";
    }),
    { numRuns: 2_000 },
  );
});
