/**
 * Transactions on a server: what is committed and what is rolled back, and what their calls may do.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Database } from "../../src/database/database.ts";
import type { Transaction } from "../../src/database/transaction.ts";
import { DatabaseError } from "../../src/errors.ts";
import { databaseTest, server } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";

databaseTest("Database.transaction() adds up under contention", async (db) => {
  await db.createTable("counters", { id: "INT PRIMARY KEY", n: "INT" });
  await db.insert("counters", { id: 1, n: 0 });
  let attempts = 0;
  const increment = async (tx: Transaction) => {
    attempts++;
    const row = await tx.selectOne<{ n: number }>("counters", {
      where: { id: 1 },
    });
    await tx.update("counters", { n: row!.n + 1 }, { id: 1 });
  };
  await Promise.all(
    Array.from({ length: 30 }, () => db.transaction(increment)),
  );
  const [{ n }] = await db.select<{ n: number }>("counters");
  assertEquals(n, 30);
  assert(attempts > 30, "some of them had to run again");
});

databaseTest(
  "Database.transaction() commits, and returns what its callback returns",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    const result = await db.transaction(async (tx) => {
      await tx.insert("t", { id: 1 });
      return "done";
    });
    assertEquals([result, await db.count("t")], ["done", 1]);
    await db.runInTransaction((tx) => tx.insert("t", { id: 2 }));
    assertEquals(await db.count("t"), 2);
  },
);

databaseTest(
  "Database.transaction() rolls back and rethrows the callback's error as it is",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    const mine = new Error("mine");
    const thrown = await db.transaction(async (tx) => {
      await tx.insert("t", { id: 1 });
      throw mine;
    }).catch((error) => error);
    assertStrictEquals(thrown, mine);
    assertEquals(await db.count("t"), 0);
  },
);

databaseTest(
  "Database.transaction() rejects where its callback swallowed the server's error",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    const error = await assertRejects(() =>
      db.transaction(async (tx) => {
        await tx.insert("t", { id: 1 });
        await tx.insert("t", { id: 1 }).catch(() => {});
      }), DatabaseError);
    assertEquals(error.kind, "unique-violation");
    assertEquals(await db.count("t"), 0);
  },
);

for (const { driver, reason } of drivers) {
  databaseTest(
    `Database.transaction() on ${driver.name} rejects where its callback has ended the transaction itself`,
    async (_, { options }) => {
      await using db = new Database({ ...options, driver, pool: { max: 1 } });
      const commands = [
        "COMMIT",
        "ROLLBACK",
        "COMMIT; BEGIN",
        "ROLLBACK; BEGIN; SELECT 1",
        "END; SELECT 1",
        ...server.kind === "postgresql"
          ? ["COMMIT AND CHAIN", "ROLLBACK AND CHAIN"]
          : [],
      ];
      for (const command of commands) {
        const error = await assertRejects(
          () =>
            db.transaction(async (tx) => {
              await tx.execute(command);
              await tx.query("SELECT 1");
            }),
          DatabaseError,
          `Cannot commit: a ${
            command.startsWith("ROLLBACK") ? "ROLLBACK" : "COMMIT"
          } of the callback has ended the transaction already`,
          command,
        );
        assertEquals(error.code, "25P01");
      }
      await assertRejects(
        () => db.transaction((tx) => tx.stream("COMMIT").next()),
        DatabaseError,
        "Cannot commit: a COMMIT of the callback",
      );
      assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
    },
    { ignore: reason },
  );
}

databaseTest(
  "Database.transaction() doesn't run again what its callback has committed itself",
  async (db) => {
    await db.createTable("t", { id: "UUID PRIMARY KEY" });
    const restart = new DatabaseError({ code: "40001", message: "restart" });
    for (const command of ["COMMIT", "COMMIT; BEGIN", "COMMIT; SELECT 1/0"]) {
      await assertRejects(() =>
        db.transaction(async (tx) => {
          await tx.insert("t", { id: crypto.randomUUID() });
          await tx.execute(command).catch(() => {});
          throw restart;
        }), DatabaseError);
    }
    assertEquals(await db.count("t"), 3);
  },
);

for (const { driver, reason } of drivers) {
  databaseTest(
    `a transaction of ${driver.name} runs once where the server can't read its arguments`,
    async (_, { options }) => {
      await using db = new Database({ ...options, driver, pool: { max: 1 } });
      const cases: [string, unknown[]][] = [
        ["SELECT $1::INT8", ["abc"]],
        ["SELECT $1::INT8, $2::INT8", [1]],
      ];
      for (const [text, args] of cases) {
        let attempts = 0;
        const inside = await assertRejects(() =>
          db.transaction((tx) => {
            attempts++;
            return tx.query(text, args);
          }), DatabaseError);
        const outside = await assertRejects(
          () => db.query(text, args),
          DatabaseError,
        );
        assertEquals([attempts, inside.kind, outside.kind], [
          1,
          "other",
          "other",
        ]);
        assertEquals(inside.message, outside.message);
      }
      assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
    },
    { ignore: reason },
  );
}

databaseTest(
  "Database.transaction() commits what came after ROLLBACK TO SAVEPOINT",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    await db.transaction(async (tx) => {
      await tx.insert("t", { id: 1 });
      await tx.execute("SAVEPOINT before");
      await tx.insert("t", { id: 1 }).catch(() => {});
      await tx.execute("ROLLBACK TO SAVEPOINT before");
      await tx.insert("t", { id: 2 });
      await tx.execute("ROLLBACK TO SAVEPOINT before; SELECT 1; SELECT 'x;'");
      await tx.insert("t", { id: 3 });
    });
    assertEquals(await db.select("t", { orderBy: "id" }), [
      { id: 1 },
      { id: 3 },
    ]);
  },
);

databaseTest(
  "Database.transaction() takes calls started together",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    const ids = Array.from({ length: 20 }, (_, id) => id);
    await db.transaction(async (tx) => {
      await Promise.all(ids.map((id) => tx.insert("t", { id })));
    });
    assertEquals(await db.count("t"), 20);
    const error = await assertRejects(() =>
      db.transaction(async (tx) => {
        await Promise.all([20, 0, 21].map((id) => tx.insert("t", { id })));
      }), DatabaseError);
    assertEquals(error.kind, "unique-violation");
    assertEquals(await db.count("t"), 20);
  },
);

databaseTest(
  "a transaction's calls that weren't awaited don't stray into the next attempt",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY", attempt: "INT" });
    let attempt = 0;
    const strays: Promise<unknown>[] = [];
    await db.transaction(async (tx) => {
      const mine = ++attempt;
      if (mine === 1) {
        strays.push(
          (async () => {
            for (let id = 100;; id++) {
              await tx.insert("t", { id, attempt: mine });
            }
          })().catch((error) => error),
        );
        await tx.query("SELECT 1");
        throw new DatabaseError({ code: "40001", message: "restart" });
      }
      await tx.insert("t", { id: 1, attempt: mine });
    });
    const [stray] = await Promise.all(strays);
    assertEquals(
      (stray as Error).message,
      "Cannot use the transaction: it has ended; await every call inside its callback",
    );
    assertEquals(await db.select("t"), [{ id: 1, attempt: 2 }]);
  },
);

databaseTest("a transaction that has ended refuses calls", async (db) => {
  let kept: Transaction | undefined;
  await db.transaction((tx) => {
    kept = tx;
    return Promise.resolve();
  });
  await assertRejects(
    () => kept!.query("SELECT 1"),
    Error,
    "Cannot use the transaction: it has ended",
  );
});

databaseTest("a transaction streams, and lets a loop end early", async (db) => {
  const seen = await db.transaction(async (tx) => {
    const seen: number[] = [];
    const numbers = "SELECT generate_series(1, 5000) AS n";
    for await (const { n } of tx.stream<{ n: number }>(numbers)) {
      seen.push(n);
      if (seen.length === 3) break;
    }
    assertEquals(await tx.queryOne("SELECT 1 AS one"), { one: 1 });
    return seen;
  });
  assertEquals(seen, [1, 2, 3]);
});

databaseTest(
  "a transaction refuses a call that is started together with a stream, and goes on",
  async (db) => {
    const refused =
      "Cannot run a statement while a stream of the same transaction is read";
    const stream = (tx: Transaction) =>
      tx.stream("SELECT * FROM generate_series(1, 3) AS g");
    const others: ((tx: Transaction) => Promise<unknown>)[] = [
      (tx) => tx.query("SELECT 1"),
      (tx) => stream(tx).next(),
    ];
    for (const other of others) {
      await assertRejects(
        () =>
          db.transaction((tx) => Promise.all([stream(tx).next(), other(tx)])),
        Error,
        refused,
      );
      await db.transaction(async (tx) => {
        const numbers = stream(tx);
        const first = numbers.next();
        await assertRejects(() => other(tx), Error, refused);
        assertEquals((await first).value, { g: 1 });
        await numbers.return();
        assertEquals(await tx.queryOne("SELECT 1 AS one"), { one: 1 });
      });
    }
  },
);

databaseTest(
  "a transaction reads the whole table, and its own writes",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    const total = await db.transaction(async (tx) => {
      const rows = Array.from({ length: 2500 }, (_, id) => ({ id }));
      assertEquals(await tx.batchInsert("t", rows, { chunkSize: 500 }), 2500);
      let sum = 0;
      for await (
        const { id } of tx.stream<{ id: number }>("SELECT id FROM t")
      ) {
        sum += id;
      }
      return sum;
    });
    assertEquals(total, 2500 * 2499 / 2);
  },
);
