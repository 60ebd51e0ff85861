import { assert, assertEquals } from "@std/assert";
import {
  columnTypes,
  columnTypesStatement,
  existsStatement,
  primaryKey,
  primaryKeyStatement,
} from "../../src/database/catalog.ts";

Deno.test("columnTypes() quotes types, with their schema where it isn't the catalog's", () => {
  const types = columnTypes([
    ["id", "pg_catalog", "int8", "f"],
    ["bits", "pg_catalog", "bit", "f"],
    ["mood", "app", "Mood", "f"],
    ["moods", "app", "Mood", "t"],
  ]);
  assertEquals([...types], [
    ["id", '"int8"'],
    ["bits", '"bit"'],
    ["mood", '"app"."Mood"'],
    ["moods", '"app"."Mood"[]'],
  ]);
});

Deno.test("columnTypesStatement() and primaryKeyStatement() quote the table's name twice", () => {
  for (const statement of [columnTypesStatement, primaryKeyStatement]) {
    const { text, args } = statement("app.o'b");
    assert(text.includes(`'"app"."o''b"'::REGCLASS`), text);
    assertEquals(args, []);
  }
});

Deno.test("existsStatement() looks in the schema, or on the search path", () => {
  const plain = existsStatement("users");
  assertEquals(plain.args, ["users"]);
  assert(plain.text.includes("current_schemas(true)"));
  assertEquals(existsStatement("app.users").args, ["users", "app"]);
  const far = existsStatement("shop.app.users");
  assertEquals(far.args, ["users", "app"]);
  assert(far.text.includes('"shop".pg_catalog.pg_class'));
});

Deno.test("primaryKey() doesn't take CockroachDB's hidden key for one", () => {
  assertEquals(primaryKey([["a"], ["b"]], {}), ["a", "b"]);
  assertEquals(primaryKey([["rowid"]], { a: 1 }), []);
  assertEquals(primaryKey([["rowid"]], { rowid: 1 }), ["rowid"]);
});
