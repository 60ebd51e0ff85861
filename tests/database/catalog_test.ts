import { assert, assertEquals } from "@std/assert";
import {
  columnTypes,
  columnTypesStatement,
  existsStatement,
  primaryKeyStatement,
  typeName,
  userTypes,
} from "../../src/database/catalog.ts";

Deno.test("columnTypes() takes the names of user types, and leaves bit no length", () => {
  const rows = [
    ["id", "20", "bigint"],
    ["bits", "1560", "bit"],
    ["more", "1561", "bit[]"],
    ["vary", "1562", "bit varying"],
    ["mood", "100053", "Mood"],
    ["other", "100053", "Mood"],
  ];
  assertEquals(userTypes(rows), ["100053"]);
  const types = columnTypes(rows, new Map([["100053", '"app"."Mood"']]));
  assertEquals([...types], [
    ["id", "bigint"],
    ["bits", '"bit"'],
    ["more", '"bit"[]'],
    ["vary", "bit varying"],
    ["mood", '"app"."Mood"'],
    ["other", '"app"."Mood"'],
  ]);
});

Deno.test("typeName() quotes, with the schema where it isn't the catalog's", () => {
  assertEquals(typeName("app", 'Mo"od'), '"app"."Mo""od"');
  assertEquals(typeName("pg_catalog", "geometry"), '"geometry"');
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
