import { assertEquals, assertThrows } from "@std/assert";
import { whereConditions } from "../../src/database/conditions.ts";
import { json } from "../../src/database/values.ts";

function conditions(where: Record<string, unknown>): [string, unknown[]] {
  const args: unknown[] = [];
  return [whereConditions(where, args), args];
}

Deno.test("whereConditions() binds a value, and joins conditions with AND", () => {
  assertEquals(conditions({ name: "Ada", age: 36 }), [
    '"name" = $1 AND "age" = $2',
    ["Ada", 36],
  ]);
});

Deno.test("whereConditions() writes null as IS NULL and IS NOT NULL", () => {
  assertEquals(conditions({ a: null, b: { op: "!=", value: null } }), [
    '"a" IS NULL AND "b" IS NOT NULL',
    [],
  ]);
});

Deno.test("whereConditions() writes an array as = ANY, even an empty one", () => {
  assertEquals(conditions({ id: [1, 2], kind: [] }), [
    '"id" = ANY($1) AND "kind" = ANY($2)',
    [[1, 2], []],
  ]);
});

Deno.test("whereConditions() compares an array column by an operator", () => {
  assertEquals(conditions({ tags: { op: "=", value: ["a"] } }), [
    '"tags" = $1',
    [["a"]],
  ]);
});

Deno.test("whereConditions() writes every operator", () => {
  const operators = ["=", "!=", "<", "<=", ">", ">=", "like", "ilike"];
  const written = operators.map((op) => conditions({ c: { op, value: 1 } })[0]);
  assertEquals(written, [
    '"c" = $1',
    '"c" <> $1',
    '"c" < $1',
    '"c" <= $1',
    '"c" > $1',
    '"c" >= $1',
    '"c" LIKE $1',
    '"c" ILIKE $1',
  ]);
});

Deno.test("whereConditions() numbers its arguments after those that are there", () => {
  const args: unknown[] = ["x", "y"];
  assertEquals(whereConditions({ id: 7 }, args), '"id" = $3');
  assertEquals(args, ["x", "y", 7]);
});

Deno.test("whereConditions() quotes hostile column names", () => {
  const where = { 'a"; DROP TABLE t; --': 1, ["__proto__"]: 2 };
  assertEquals(conditions(where), [
    '"a""; DROP TABLE t; --" = $1 AND "__proto__" = $2',
    [1, 2],
  ]);
});

Deno.test("whereConditions() takes a plain object without an operator as a value", () => {
  assertEquals(conditions({ data: { value: 1 } }), [
    '"data" = $1',
    [{ value: 1 }],
  ]);
});

Deno.test("whereConditions() refuses operators that there aren't", () => {
  for (const op of ["<>", "constructor", "= 1 OR 1 ="]) {
    assertThrows(
      () => conditions({ age: { op, value: 1 } }),
      TypeError,
      `Cannot compare age by "${op}": the operators are =, !=, <, <=, >, >=, like, ilike`,
    );
  }
});

Deno.test("whereConditions() refuses an operator without a value, and takes other objects that have an op", () => {
  for (const condition of [{ op: ">=" }, { op: ">=", val: 1 }]) {
    assertThrows(
      () => conditions({ age: condition }),
      TypeError,
      'Cannot compare age by ">=": there is no value; give { op: ">=", value: … }, or json(…) to look for this object',
    );
  }
  const patch = { op: "add", path: "/a" };
  assertEquals(conditions({ data: patch, log: json({ op: "=" }) }), [
    '"data" = $1 AND "log" = $2',
    [patch, json({ op: "=" })],
  ]);
});

Deno.test("whereConditions() refuses undefined, and null where it can't be compared", () => {
  assertThrows(
    () => conditions({ age: undefined }),
    TypeError,
    "Cannot compare age with undefined: give a value, or null for NULL",
  );
  assertThrows(
    () => conditions({ age: { op: "<", value: null } }),
    TypeError,
    'Cannot compare age by "<" with null: use "=" or "!="',
  );
});
