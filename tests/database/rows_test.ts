/**
 * Rows to and from tables on a server, and the tables themselves, without SQL.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseError, SqlTextError } from "../../src/errors.ts";
import { databaseTest } from "../support/database.ts";

databaseTest(
  "Database.createTable() and dropTable() take hostile names, and their options",
  async (db) => {
    const name = '"My.Table; --"';
    const columns = { id: "INT PRIMARY KEY", 'a "quoted" name': "TEXT" };
    assertEquals(await db.exists(name), false);
    await db.createTable(name, columns);
    assertEquals(await db.exists(name), true);
    await assertRejects(() => db.createTable(name, columns), DatabaseError);
    await db.createTable(name, columns, { ifNotExists: true });
    const row = { id: 1, 'a "quoted" name': "x" };
    assertEquals(await db.insert(name, row), row);
    await db.dropTable(name);
    assertEquals(await db.exists(name), false);
    await assertRejects(() => db.dropTable(name), DatabaseError);
    await db.dropTable(name, { ifExists: true });
    await assertRejects(() => db.createTable("", columns), SqlTextError);
  },
);

databaseTest(
  "Database.dropTable() drops what depends on the table where cascade is said",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    await db.execute("CREATE VIEW v AS SELECT id FROM t");
    await assertRejects(() => db.dropTable("t"), DatabaseError);
    await db.dropTable("t", { cascade: true });
    assertEquals(await db.exists("v"), false);
  },
);

databaseTest(
  "Database.exists() looks in schemas and databases by name",
  async (db, { name }) => {
    await db.execute("CREATE SCHEMA app");
    await db.createTable("app.t", { id: "INT" });
    assertEquals(await db.exists("t"), false);
    assertEquals(await db.exists("app.t"), true);
    assertEquals(await db.exists(`${name}.app.t`), true);
    assertEquals(await db.exists("app.other"), false);
    await db.execute("CREATE VIEW app.v AS SELECT 1 AS one");
    assertEquals(await db.exists("app.v"), true);
  },
);

databaseTest(
  "Database.insert() returns the row as the table has it",
  async (db) => {
    await db.createTable("t", {
      id: "INT PRIMARY KEY DEFAULT 7",
      name: "TEXT DEFAULT 'none'",
    });
    assertEquals(await db.insert("t", {}), { id: 7, name: "none" });
    assertEquals(await db.insert("t", { id: 8, name: null }), {
      id: 8,
      name: null,
    });
  },
);

databaseTest(
  "Database takes __proto__ as a column like any other",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY", ["__proto__"]: "TEXT" });
    const row = { id: 1, ["__proto__"]: "x" };
    assertEquals(
      Object.entries(await db.insert("t", row)),
      Object.entries(row),
    );
    const [found] = await db.select("t", { where: { ["__proto__"]: "x" } });
    assertEquals(Object.entries(found), Object.entries(row));
  },
);

databaseTest(
  "Database.upsert() goes by the primary key, or by what conflict says",
  async (db) => {
    await db.execute(
      "CREATE TABLE t (a INT4, b INT4, name TEXT UNIQUE, n INT4, PRIMARY KEY (a, b))",
    );
    await db.upsert("t", { a: 1, b: 1, name: "x", n: 1 });
    const second = { a: 1, b: 1, name: "x", n: 2 };
    assertEquals(await db.upsert("t", second), second);
    const third = { a: 1, b: 1, name: "x", n: 3 };
    assertEquals(await db.upsert("t", third, { conflict: ["name"] }), third);
    assertEquals(await db.upsert("t", { a: 1, b: 1 }), third);
    assertEquals(await db.count("t"), 1);
  },
);

databaseTest(
  "Database.upsert() refuses a table without a primary key",
  async (db) => {
    await db.createTable("t", { a: "INT" });
    await assertRejects(
      () => db.upsert("t", { a: 1 }),
      TypeError,
      "Cannot upsert into t: it has no primary key",
    );
  },
);

databaseTest("Database.select() restricts, orders and cuts", async (db) => {
  await db.createTable("t", {
    id: "INT4 PRIMARY KEY",
    kind: "TEXT",
    n: "INT4",
  });
  await db.batchInsert("t", [
    { id: 1, kind: "a", n: 5 },
    { id: 2, kind: "b", n: 4 },
    { id: 3, kind: "b", n: 3 },
    { id: 4, kind: null, n: 2 },
  ]);
  const ids = async (options: Parameters<typeof db.select>[1]) =>
    (await db.select<{ id: number }>("t", { orderBy: "id", ...options }))
      .map(({ id }) => id);
  assertEquals(await ids({}), [1, 2, 3, 4]);
  assertEquals(await ids({ where: { kind: "b" } }), [2, 3]);
  assertEquals(await ids({ where: { kind: null } }), [4]);
  assertEquals(await ids({ where: { kind: { op: "!=", value: null } } }), [
    1,
    2,
    3,
  ]);
  assertEquals(await ids({ where: { id: [1, 4, 9] } }), [1, 4]);
  assertEquals(await ids({ where: { id: [] } }), []);
  assertEquals(await ids({ where: { n: { op: "<", value: 4 }, kind: "b" } }), [
    3,
  ]);
  assertEquals(await ids({ where: { kind: { op: "ilike", value: "A%" } } }), [
    1,
  ]);
  assertEquals(
    await ids({
      orderBy: ["kind desc", "n"],
      where: { n: { op: ">", value: 2 } },
    }),
    [3, 2, 1],
  );
  assertEquals(await ids({ limit: 2, offset: 1 }), [2, 3]);
  assertEquals(
    await ids({
      whereClause: "n = $1 OR id = $2",
      params: [5, 3],
      where: { kind: ["a", "b"] },
    }),
    [1, 3],
  );
  assertEquals(
    await db.select("t", { columns: ["n"], limit: 1, orderBy: "t.id" }),
    [{ n: 5 }],
  );
  assertEquals(await db.selectOne("t", { where: { id: 9 } }), undefined);
  assertEquals(await db.selectOne("t", { orderBy: "n", forUpdate: true }), {
    id: 4,
    kind: null,
    n: 2,
  });
  assertEquals(await db.count("t"), 4);
  assertEquals(await db.count("t", { where: { kind: "b" } }), 2);
  assertEquals(await db.count("t", { whereClause: "n > $1", params: [3] }), 2);
});

databaseTest(
  "Database.update() and delete() touch what the conditions say, and nothing without any",
  async (db) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY", n: "INT4" });
    await db.batchInsert("t", [{ id: 1, n: 1 }, { id: 2, n: 2 }]);
    assertEquals(await db.update("t", { n: 9 }, { id: 1 }), [{ id: 1, n: 9 }]);
    assertEquals(await db.update("t", { n: 9 }, { id: 7 }), []);
    await assertRejects(
      () => db.update("t", { n: 0 }, {}),
      TypeError,
      "Cannot update every row of t",
    );
    await assertRejects(
      () => db.delete("t", {}),
      TypeError,
      "Cannot delete from every row of t",
    );
    assertEquals((await db.update("t", { n: 0 }, {}, { all: true })).length, 2);
    assertEquals(await db.delete("t", { id: 1 }), 1);
    assertEquals(await db.delete("t", {}, { all: true }), 1);
  },
);
