import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  countStatement,
  createTableStatement,
  deleteStatement,
  insertStatement,
  selectStatement,
  systemTime,
  updateStatement,
  upsertStatement,
} from "../../src/database/crud.ts";

Deno.test("insertStatement() quotes names and binds values", () => {
  assertEquals(insertStatement("app.users", { name: "Ada", "x y": null }), {
    text:
      'INSERT INTO "app"."users" ("name", "x y") VALUES ($1, $2) RETURNING *',
    args: ["Ada", null],
  });
});

Deno.test("insertStatement() writes a row of defaults", () => {
  assertEquals(insertStatement("users", {}), {
    text: 'INSERT INTO "users" DEFAULT VALUES RETURNING *',
    args: [],
  });
});

Deno.test("insertStatement() takes quotes and __proto__ as column names", () => {
  const row = { 'a"b': 1, ["__proto__"]: 2 };
  assertEquals(insertStatement("t", row), {
    text: 'INSERT INTO "t" ("a""b", "__proto__") VALUES ($1, $2) RETURNING *',
    args: [1, 2],
  });
});

Deno.test("insertStatement() refuses undefined, and names the column", () => {
  assertThrows(
    () => insertStatement("users", { name: undefined }),
    TypeError,
    "Cannot write users.name: its value is undefined; leave the column out, or give null for NULL",
  );
});

Deno.test("upsertStatement() sets all columns but those that conflict", () => {
  assertEquals(upsertStatement("t", { id: 1, a: 2, b: 3 }, ["id"]), {
    text:
      'INSERT INTO "t" ("id", "a", "b") VALUES ($1, $2, $3) ON CONFLICT ("id") ' +
      'DO UPDATE SET "a" = excluded."a", "b" = excluded."b" RETURNING *',
    args: [1, 2, 3],
  });
});

Deno.test("upsertStatement() of nothing but the key still returns the row", () => {
  assertEquals(
    upsertStatement("t", { id: 1 }, ["id"]).text,
    'INSERT INTO "t" ("id") VALUES ($1) ON CONFLICT ("id") ' +
      'DO UPDATE SET "id" = excluded."id" RETURNING *',
  );
});

Deno.test("upsertStatement() refuses a table without a key", () => {
  assertThrows(
    () => upsertStatement("log", { a: 1 }, []),
    TypeError,
    "Cannot upsert into log: it has no primary key; name the columns of a unique constraint in conflict",
  );
  assertThrows(
    () => upsertStatement("log", { id: 1 }, "id" as never),
    TypeError,
    'Cannot upsert into log: conflict is no list of columns; give one, such as ["id"]',
  );
});

Deno.test("selectStatement() reads everything where nothing is said", () => {
  assertEquals(selectStatement("users"), {
    text: 'SELECT * FROM "users"',
    args: [],
  });
});

Deno.test("selectStatement() puts its parts in SQL's order", () => {
  const statement = selectStatement("app.users", {
    columns: ["id", "name"],
    where: { age: { op: ">=", value: 18 }, city: ["Rome", "Bonn"] },
    whereClause: "a = $1 OR b = $2",
    params: [1, 2],
    orderBy: ["name", "id desc"],
    limit: 10,
    offset: 20,
    asOfSystemTime: "-10s",
    forUpdate: true,
  });
  assertEquals(statement, {
    text: 'SELECT "id", "name" FROM "app"."users" AS OF SYSTEM TIME \'-10s\' ' +
      'WHERE (a = $1 OR b = $2) AND "age" >= $3 AND "city" = ANY($4) ' +
      'ORDER BY "name", "id" DESC LIMIT 10 OFFSET 20 FOR UPDATE',
    args: [1, 2, 18, ["Rome", "Bonn"]],
  });
});

Deno.test("selectStatement() refuses limits that aren't whole numbers", () => {
  for (const limit of [-1, 1.5, NaN, "1; DROP TABLE t" as unknown as number]) {
    assertThrows(
      () => selectStatement("t", { limit }),
      RangeError,
      `Cannot use the limit ${limit}: give a whole number from 0`,
    );
  }
});

Deno.test("selectStatement() takes * as all columns", () => {
  assertEquals(
    selectStatement("t", { columns: ["*"] }).text,
    'SELECT * FROM "t"',
  );
  assertEquals(
    selectStatement("t", { columns: ["*", "rowid"] }).text,
    'SELECT *, "rowid" FROM "t"',
  );
});

Deno.test("selectStatement() refuses columns that are none", () => {
  assertThrows(
    () => selectStatement("t", { columns: [] }),
    TypeError,
    "Cannot read t: columns is empty; name a column, or leave it out for all",
  );
  for (const columns of ["id", null, { id: true }]) {
    assertThrows(
      () => selectStatement("t", { columns: columns as never }),
      TypeError,
      'Cannot read t: columns is no list of columns; give one, such as ["id"]',
    );
  }
});

Deno.test("Statements refuse what has no columns as a row or as conditions", () => {
  for (const wrong of [null, 1, "id", [], Promise.resolve({ id: 1 })]) {
    const given = wrong as never;
    const refusals: [() => unknown, string][] = [
      [() => insertStatement("t", given), "Cannot insert into t: the row"],
      [() => upsertStatement("t", given, ["id"]), "Cannot upsert into t: the"],
      [
        () => updateStatement("t", given, { where: { id: 1 } }),
        "Cannot update t: the row of changes",
      ],
      [
        () => updateStatement("t", { a: 1 }, { where: given, all: true }),
        "Cannot update t: where",
      ],
      [
        () => deleteStatement("t", { where: given, all: true }),
        "Cannot delete from t: where",
      ],
      [() => selectStatement("t", { where: given }), "Cannot read t: where"],
      [() => countStatement("t", { where: given }), "Cannot read t: where"],
    ];
    for (const [write, purpose] of refusals) {
      const { message } = assertThrows(write, TypeError);
      assert(message.startsWith(purpose), message);
      assert(
        message.endsWith(
          " is no object with columns; give one, such as { id: 1 }",
        ),
        message,
      );
    }
  }
});

Deno.test("countStatement() counts what selectStatement() would read", () => {
  assertEquals(countStatement("t", { where: { a: 1 } }), {
    text: 'SELECT count(*) AS count FROM "t" WHERE "a" = $1',
    args: [1],
  });
  assertEquals(
    countStatement("t", { asOfSystemTime: "follower_read_timestamp()" }).text,
    'SELECT count(*) AS count FROM "t" AS OF SYSTEM TIME follower_read_timestamp()',
  );
});

Deno.test("updateStatement() binds the changes before the conditions", () => {
  assertEquals(updateStatement("t", { a: 1, b: null }, { where: { id: 2 } }), {
    text: 'UPDATE "t" SET "a" = $1, "b" = $2 WHERE "id" = $3 RETURNING *',
    args: [1, null, 2],
  });
});

Deno.test("updateStatement() refuses no changes, and undefined", () => {
  assertThrows(
    () => updateStatement("t", {}, { where: { id: 1 } }),
    TypeError,
    "Cannot update t: there are no changes; name a column and its value",
  );
  assertThrows(
    () => updateStatement("t", { a: undefined }, { where: { id: 1 } }),
    TypeError,
    "Cannot write t.a: its value is undefined",
  );
});

Deno.test("updateStatement() and deleteStatement() refuse an empty where", () => {
  assertThrows(
    () => updateStatement("t", { a: 1 }, { where: {} }),
    TypeError,
    "Cannot update every row of t by an empty where: give a condition, or { all: true } if every row is meant",
  );
  assertThrows(
    () => deleteStatement("t", { where: {} }),
    TypeError,
    "Cannot delete from every row of t by an empty where",
  );
  // Callers whom no compiler has checked may leave it out.
  assertThrows(
    () => deleteStatement("t", { where: undefined! }),
    TypeError,
    "by an empty where",
  );
});

Deno.test("updateStatement() and deleteStatement() take every row where all is said", () => {
  assertEquals(
    updateStatement("t", { a: 1 }, { where: {}, all: true }).text,
    'UPDATE "t" SET "a" = $1 RETURNING *',
  );
  assertEquals(deleteStatement("t", { where: {}, all: true }), {
    text: 'DELETE FROM "t"',
    args: [],
  });
});

Deno.test("deleteStatement() keeps the conditions though all is said", () => {
  assertEquals(deleteStatement("t", { where: { id: 1 }, all: true }), {
    text: 'DELETE FROM "t" WHERE "id" = $1',
    args: [1],
  });
});

Deno.test("createTableStatement() quotes names and leaves types as they are", () => {
  const columns = { id: "UUID PRIMARY KEY", 'na"me': "TEXT NOT NULL" };
  assertEquals(
    createTableStatement("app.t", columns),
    'CREATE TABLE "app"."t" ("id" UUID PRIMARY KEY, "na""me" TEXT NOT NULL)',
  );
  assertEquals(
    createTableStatement("t", { id: "INT" }, { ifNotExists: true }),
    'CREATE TABLE IF NOT EXISTS "t" ("id" INT)',
  );
});

Deno.test("systemTime() lets through the functions that are meant for it, and quotes the rest", () => {
  for (
    const call of [
      "follower_read_timestamp()",
      "with_max_staleness('10s')",
      "with_min_timestamp('2026-01-01')",
    ]
  ) {
    assertEquals(systemTime(call), call);
  }
  assertEquals(systemTime("-10s"), "'-10s'");
  assertEquals(
    systemTime("now()'; DROP TABLE t --"),
    "'now()''; DROP TABLE t --'",
  );
});
