/**
 * A caller's own statements on a server: queries, streams, and their end by a signal or a limit.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { identifier } from "../../src/database/template.ts";
import { DatabaseError } from "../../src/errors.ts";
import { databaseTest } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";

databaseTest(
  "Database.query() takes text with arguments, and a template",
  async (db) => {
    const rows = [{ n: 1, t: "x'y" }];
    assertEquals(
      await db.query("SELECT $1::INT4 AS n, $2::TEXT AS t", [1, "x'y"]),
      rows,
    );
    assertEquals(
      await db.query`SELECT ${1}::INT4 AS n, ${"x'y"}::TEXT AS t`,
      rows,
    );
    assertEquals(await db.query("SELECT 1 AS n WHERE false"), []);
    assertEquals(
      await db.query`SELECT 1::INT4 AS ${identifier('a "b"')}`,
      [{ 'a "b"': 1 }],
    );
  },
);

databaseTest(
  "Database.queryOne() returns the first row, or undefined",
  async (db) => {
    const numbers = "SELECT n::INT4 FROM generate_series(5, 7) AS n";
    assertEquals(await db.queryOne(numbers), { n: 5 });
    assertEquals(await db.queryOne`SELECT 1 WHERE ${false}`, undefined);
  },
);

databaseTest(
  "Database.execute() returns the number of rows affected",
  async (db) => {
    assertEquals(await db.execute("CREATE TABLE t (id INT PRIMARY KEY)"), 0);
    assertEquals(await db.execute("INSERT INTO t VALUES (1), (2), (3)"), 3);
    assertEquals(await db.execute`DELETE FROM t WHERE id > ${1}`, 2);
  },
);

databaseTest("Database refuses undefined as an argument", async (db) => {
  await assertRejects(
    () => db.query("SELECT $1::INT", [undefined]),
    TypeError,
    "Cannot send $1",
  );
});

databaseTest(
  "Database refuses half a surrogate pair, which would be sent as another character",
  async (db) => {
    await db.createTable("a\ufffd", { id: "INT PRIMARY KEY", j: "JSONB" });
    const calls = [
      () => db.query("SELECT '\ud800' AS a"),
      () => db.stream("SELECT '\ud800' AS a").next(),
      () => db.select("a\ud800"),
      () => db.insert("a\ufffd", { id: 1, j: { a: "x\ud800y" } }),
    ];
    for (const call of calls) {
      await assertRejects(call, Error, "half a surrogate pair");
    }
    assertEquals(await db.count("a\ufffd"), 0);
  },
);

databaseTest(
  "Database.stream() yields every row, and a loop that ends early frees its connection",
  async (_, { options }) => {
    await using db = new Database({ ...options, pool: { max: 1 } });
    const numbers = "SELECT generate_series(1, $1::INT) AS n";
    let sum = 0;
    for await (
      const { n } of db.stream<{ n: number }>(numbers, [5000], {
        batchSize: 100,
      })
    ) {
      sum += n;
    }
    assertEquals(sum, 5000 * 5001 / 2);
    for await (const { n } of db.stream<{ n: number }>(numbers, [1_000_000])) {
      if (n === 3) break;
    }
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
    const failing = async () => {
      for await (
        const _ of db.stream(
          "SELECT 1 / (n - 900) FROM generate_series(1, 1000) AS n",
        )
      ) {
        // Nothing is done with the rows before the one that fails.
      }
    };
    const error = await assertRejects(failing, DatabaseError);
    assertEquals(error.code, "22012");
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
  },
);

for (const { driver, reason } of drivers) {
  databaseTest(
    `a stream of ${driver.name} that no one reads any more gives its connection back when its limit is reached`,
    async (_, { options }) => {
      await using db = new Database({ ...options, driver, pool: { max: 1 } });
      const numbers =
        "SELECT generate_series(1, 100000) AS n, repeat('x', 1000)";
      const enough = new Error("enough");
      const controller = new AbortController();
      const { signal } = controller;
      for (const limits of [{ timeoutMs: 500 }, { signal }]) {
        const stream = db.stream(numbers, [], limits);
        assertEquals((await stream.next()).value?.n, 1);
        if (limits.signal) setTimeout(() => controller.abort(enough), 500);
        assertEquals(
          await db.query("SELECT 1 AS one", [], { timeoutMs: 15_000 }),
          [{ one: 1 }],
        );
        const error = await assertRejects(async () => {
          for await (const _ of stream);
        });
        if (limits.signal) assertStrictEquals(error, enough);
        else assertEquals((error as DatabaseError).code, "57014");
        assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
      }
    },
    { ignore: reason },
  );
}

databaseTest(
  "Database.stream() refuses a batch size that isn't one",
  async (db) => {
    await assertRejects(
      () => db.stream("SELECT 1", [], { batchSize: 0 }).next(),
      RangeError,
    );
  },
);

databaseTest(
  "a stream that is left early doesn't end its transaction",
  async (db) => {
    await db.createTable("t", { id: "INT8 PRIMARY KEY" });
    await db.transaction(async (tx) => {
      await tx.insert("t", { id: 1 });
      for (const at of [1, 1_500]) {
        const rows = tx.stream<{ g: number }>(
          "SELECT g, repeat('x', 100) FROM generate_series(1, 300000) AS g",
        );
        for await (const { g } of rows) if (g === at) break;
      }
      await tx.insert("t", { id: 2 });
    });
    assertEquals(await db.count("t"), 2);
  },
);

databaseTest(
  "Database cancels a statement by its signal or its time, and goes on",
  async (_, { options }) => {
    await using db = new Database({ ...options, pool: { max: 1 } });
    const controller = new AbortController();
    const reason = new Error("enough");
    const { signal } = controller;
    setTimeout(() => controller.abort(reason), 30);
    const thrown = await db.query("SELECT pg_sleep(30)", [], { signal })
      .catch((error) => error);
    assertStrictEquals(thrown, reason);
    const error = await assertRejects(
      () => db.query("SELECT pg_sleep(30)", [], { timeoutMs: 30 }),
      DatabaseError,
    );
    assertEquals([error.kind, error.code], ["timeout", "57014"]);
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
  },
);
