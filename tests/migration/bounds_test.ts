import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SqlTextError } from "../../src/errors.ts";
import {
  boundsOpening,
  boundsQuery,
  boundStatement,
  checkBounds,
  foldedName,
  keyQuery,
  keyText,
} from "../../src/migration/bounds.ts";

const KEYS = { from: "a'b", to: "9" };

for (
  const [statement, bound] of [
    ["id > $from AND id < $to", "id >= 'a''b' AND id <= '9'"],
    ["id >= $from AND id <= $to", "id >= 'a''b' AND id <= '9'"],
    ["$from < id AND $to >= id", "'a''b' <= id AND '9' >= id"],
    ["id BETWEEN $from AND $to", "id BETWEEN 'a''b' AND '9'"],
    [
      "id between $from::UUID and $to::UUID AND a < 3",
      "id between 'a''b'::UUID and '9'::UUID AND a < 3",
    ],
    [
      "id>$from::INT AND id/* < */<$to -- $from",
      "id>='a''b'::INT AND id/* < */<='9' -- $from",
    ],
    [
      "a = '$to' AND id > $from AND id <= $to",
      "a = '$to' AND id >= 'a''b' AND id <= '9'",
    ],
  ]
) {
  Deno.test(`boundStatement() puts both keys into the chunk of ${statement}`, () => {
    const { text } = boundStatement(`DELETE FROM t WHERE ${statement}`, KEYS);
    assertEquals(text, `DELETE FROM t WHERE ${bound}`);
  });
}

for (
  const [condition, name] of [
    ["id > CAST($from AS INT) AND id <= CAST($to AS INT)", "$from"],
    ["id > ($from) AND id <= ($to)", "$from"],
    ["$from::INT < id AND id <= $to", "$from"],
    ["id >= $from AND id <= ($to)", "$to"],
    ["id >= $from AND id < $to + 1 AND id <= lower($to)", "$to"],
    ["NOT (id < $from OR id > $to)", "$from"],
    ["id = $from AND id <= $to", "$from"],
    ["id >= $from AND true AND $to", "$to"],
    ["id > -$from AND id <= $to", "$from"],
  ]
) {
  Deno.test(`checkBounds() refuses ${condition}, for a row could be left out`, () => {
    const error = assertThrows(() => checkBounds(condition), SqlTextError);
    assertEquals(
      error.problem,
      `${name} isn't compared in a way that is sure to include its row; ` +
        "write key >= $from AND key <= $to, with a cast as in $from::UUID",
    );
    assertEquals(
      condition.slice(error.offset, error.offset + name.length),
      name,
    );
  });
}

Deno.test("boundStatement() finds back where an offset comes from", () => {
  const statement = "UPDATE t SET a = 1 WHERE id > $from AND id <= $to AND b";
  const { text, originOf } = boundStatement(statement, KEYS);
  for (
    const [sent, written] of [["SET", "SET"], ["'a''b'", "$from"], [
      "AND b",
      "AND b",
    ], ["b' AND", "$from"]]
  ) {
    assertEquals(originOf(text.indexOf(sent)), statement.indexOf(written));
  }
});

Deno.test("boundsQuery() begins at the first key that isn't NULL, and goes on after the last one", () => {
  const chunk = { table: "app.T", key: "Id", batch: 3 };
  const tail =
    ' ORDER BY "id" LIMIT 3) SELECT (SELECT k FROM chunk ORDER BY k LIMIT 1), ' +
    "(SELECT k FROM chunk ORDER BY k DESC LIMIT 1)";
  assertEquals(
    boundsQuery({ ...chunk, after: null }),
    `WITH chunk AS (SELECT "id" AS k FROM "app"."t" WHERE "id" IS NOT NULL${tail}`,
  );
  assertEquals(
    boundsQuery({ ...chunk, after: "it's" }),
    `WITH chunk AS (SELECT "id" AS k FROM "app"."t" WHERE "id" > 'it''s'${tail}`,
  );
});

Deno.test("keyQuery() asks for a column by the name that the catalog has", () => {
  assertEquals(
    keyQuery({ table: '"My table"', key: '"My key"' }),
    "SELECT attnotnull, atttypid, collname FROM pg_catalog.pg_attribute " +
      "LEFT JOIN pg_catalog.pg_collation c ON c.oid = attcollation " +
      `WHERE attrelid = '"My table"'::REGCLASS AND attname = 'My key' AND NOT attisdropped`,
  );
});

Deno.test("foldedName() folds the parts that stand without quotes", () => {
  const names = ["App.Users", 'App."My.Table"', '"App".Users', "users"];
  assertEquals(names.map((name) => foldedName(name)), [
    '"app"."users"',
    '"app"."My.Table"',
    '"App"."users"',
    '"users"',
  ]);
});

Deno.test("keyQuery() folds names as the server does", () => {
  const of = (kind: "cockroachdb" | "postgresql") =>
    keyQuery({ table: "Ärger", key: "ID_Ü", kind });
  assertStringIncludes(of("cockroachdb"), `'"ärger"'::REGCLASS`);
  assertStringIncludes(of("cockroachdb"), "attname = 'id_ü'");
  assertStringIncludes(of("postgresql"), `'"Ärger"'::REGCLASS`);
  assertStringIncludes(of("postgresql"), "attname = 'id_Ü'");
});

Deno.test("keyText() takes the padding off a CHAR(n) alone", () => {
  assertEquals(keyText(" A1\t   ", 1042), " A1\t");
  assertEquals(keyText("   ", 1042), "");
  assertEquals(keyText("A1   ", 25), "A1   ");
});

Deno.test("boundsOpening() asks for all digits of a FLOAT alone", () => {
  const opening = "BEGIN; SET LOCAL extra_float_digits = 3; ";
  assertEquals([700, 701, 20, 1700].map(boundsOpening), [
    opening,
    opening,
    "",
    "",
  ]);
});
