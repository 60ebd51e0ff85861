/**
 * What a transaction is told: its limits and signals, its isolation, priority and time.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  beginStatement,
  checkTransactionOptions,
  type TransactionOptions,
} from "../../src/database/transaction_options.ts";
import { Database } from "../../src/database/database.ts";
import {
  AmbiguousCommitError,
  ConfigError,
  DatabaseError,
} from "../../src/errors.ts";
import { databaseTest, server } from "../support/database.ts";
import {
  insertOne,
  isCommit,
  once,
  proxyTest,
} from "../support/proxied_database.ts";

proxyTest(
  "a signal ends a transaction whose COMMIT isn't answered",
  once(isCommit, "half-open"),
  async (db) => {
    const reason = new Error("enough");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 200);
    const start = performance.now();
    const error = await assertRejects(
      () => insertOne(db, { signal: controller.signal }),
      AmbiguousCommitError,
    );
    assertStrictEquals(error.cause, reason);
    assert(performance.now() - start < 10_000);
  },
);

proxyTest(
  "the timeoutMs of a transaction limits its COMMIT",
  once(isCommit, "half-open"),
  async (db) => {
    await assertRejects(
      () => insertOne(db, { timeoutMs: 500 }),
      AmbiguousCommitError,
    );
  },
);

databaseTest(
  "the timeoutMs of a transaction limits its statements, which may have their own",
  async (db) => {
    for (const own of [undefined, 100]) {
      await assertRejects(
        () =>
          db.transaction(
            (tx) => tx.query("SELECT pg_sleep(20)", [], { timeoutMs: own }),
            { timeoutMs: 200 },
          ),
        DatabaseError,
        `within ${own ?? 200} ms`,
      );
    }
  },
);

databaseTest(
  "Database.transaction() refuses writes where it only reads",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    const error = await assertRejects(
      () =>
        db.transaction((tx) => tx.insert("t", { id: 1 }), { readOnly: true }),
      DatabaseError,
    );
    assertEquals(error.code, "25006");
  },
);

databaseTest(
  "Database.transaction() runs at SERIALIZABLE unless told otherwise",
  async (db) => {
    const level = (options?: TransactionOptions) =>
      db.transaction(
        (tx) => tx.queryOne("SHOW transaction_isolation"),
        options,
      );
    assertEquals(await level(), { transaction_isolation: "serializable" });
    if (server.kind === "postgresql") {
      assertEquals(await level({ isolation: "read committed" }), {
        transaction_isolation: "read committed",
      });
    }
  },
);

databaseTest(
  "Database.transaction() says that PostgreSQL has neither priority nor system time",
  async (db) => {
    for (
      const options of [
        { priority: "low" },
        { asOfSystemTime: "-1s" },
      ] as const
    ) {
      const [name] = Object.keys(options);
      await assertRejects(
        () => db.transaction((tx) => tx.query("SELECT 1"), options),
        ConfigError,
        `Cannot begin a transaction with ${name}: only CockroachDB knows that, and this is PostgreSQL; leave it out`,
      );
    }
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
  },
  { on: ["postgresql"] },
);

databaseTest(
  "Database.transaction() takes a priority and a time",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    const priority = await db.transaction(
      (tx) => tx.queryOne("SHOW transaction_priority"),
      { priority: "high" },
    );
    assertEquals(priority, { transaction_priority: "high" });
    const [{ now }] = await db.query<{ now: string }>(
      "SELECT cluster_logical_timestamp()::TEXT AS now",
    );
    await db.insert("t", { id: 1 });
    const asOfSystemTime = now;
    const count = await db.transaction((tx) => tx.count("t"), {
      asOfSystemTime,
    });
    assertEquals(count, 0);
    assertEquals(await db.count("t", { asOfSystemTime }), 0);
  },
  { on: ["cockroachdb"] },
);

databaseTest(
  "a signal cancels a transaction, and what it wrote is undone",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    const controller = new AbortController();
    const reason = new Error("enough");
    const { signal } = controller;
    const thrown = await db.transaction(async (tx) => {
      await tx.insert("t", { id: 1 });
      setTimeout(() => controller.abort(reason), 20);
      await tx.query("SELECT pg_sleep(30)");
    }, { signal }).catch((error) => error);
    assertStrictEquals(thrown, reason);
    const before = await db.transaction(() => Promise.resolve(), { signal })
      .catch((error) => error);
    assertStrictEquals(before, reason);
    assertEquals(await db.count("t"), 0);
  },
);

databaseTest(
  "a signal that fires between the statements keeps a transaction from committing",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    const controller = new AbortController();
    await assertRejects(
      () =>
        db.transaction(async (tx) => {
          await tx.insert("t", { id: 1 });
          controller.abort(new Error("enough"));
        }, { signal: controller.signal }),
      Error,
      "enough",
    );
    assertEquals(await db.count("t"), 0);
  },
);

databaseTest(
  "a call that waits in a transaction obeys its limits and the transaction's, counted from the call",
  async (db) => {
    const enough = new Error("enough");
    const after = (ms: number) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(enough), ms);
      return controller.signal;
    };
    const start = performance.now();
    await db.transaction(async (tx) => {
      const before = tx.query("SELECT pg_sleep(1.5)");
      await assertRejects(
        () => tx.query("SELECT 1", [], { timeoutMs: 100 }),
        DatabaseError,
        "Cannot run the statement within 100 ms: the calls before it",
      );
      const signal = after(100);
      assertStrictEquals(
        await assertRejects(() => tx.query("SELECT 1", [], { signal })),
        enough,
      );
      assert(performance.now() - start < 1_400, "neither waited for its turn");
      await before;
      assertEquals(await tx.queryOne("SELECT 1 AS one"), { one: 1 });
    });
    await db.transaction(async (tx) => {
      const before = tx.query("SELECT pg_sleep(1)", [], { timeoutMs: 60_000 });
      await assertRejects(
        () => tx.query("SELECT 1"),
        DatabaseError,
        "Cannot run the statement within 200 ms",
      );
      await before;
    }, { timeoutMs: 200 });
    const started = performance.now();
    const error = await assertRejects(() =>
      db.transaction(async (tx) => {
        await Promise.all([
          tx.query("SELECT pg_sleep(0.5)"),
          tx.query("SELECT pg_sleep(30)"),
        ]);
      }, { signal: after(1_000) })
    );
    assertStrictEquals(error, enough);
    assert(performance.now() - started < 10_000);
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
  },
);

databaseTest(
  "Database.close() ends the calls that wait in a transaction",
  async (_, { options }) => {
    const db = new Database(options);
    const ended = assertRejects(() =>
      db.transaction(async (tx) => {
        const calls = [tx.query("SELECT pg_sleep(30)"), tx.query("SELECT 1")];
        for (const { status } of await Promise.allSettled(calls)) {
          assertEquals(status, "rejected");
        }
        await calls[0];
      }), DatabaseError);
    await db.query("SELECT pg_sleep(0.2)");
    await db.close({ timeoutMs: 1 });
    await ended;
  },
);

Deno.test("beginStatement() refuses a level or a priority that it doesn't know", () => {
  const begin = (options: object) => () => beginStatement(options);
  assertThrows(
    begin({ isolation: "serializable; drop table t" }),
    ConfigError,
    'Cannot begin a transaction with isolation "serializable; drop table t": give one of serializable, repeatable read, read committed',
  );
  for (const isolation of ["READ COMMITTED", "read_committed"]) {
    assertEquals(
      begin({ isolation })(),
      "BEGIN ISOLATION LEVEL READ COMMITTED",
    );
  }
  assertThrows(
    begin({ priority: "urgent" }),
    ConfigError,
    'Cannot begin a transaction with priority "urgent": give one of low, normal, high',
  );
});

Deno.test("checkTransactionOptions() refuses what is no option, or no value of one", () => {
  const cases: [unknown, string][] = [
    ...[-1, NaN, "3"].map((maxRetries): [unknown, string] => [
      { maxRetries },
      `Cannot run a transaction with maxRetries ${maxRetries}: give a number from 0`,
    ]),
    [
      { readonly: true },
      'Cannot use the option "readonly": unknown option; did you mean "readOnly"?',
    ],
    [
      null,
      "Cannot use null as options: give an object, such as { isolation: … }",
    ],
  ];
  for (const [options, message] of cases) {
    assertThrows(
      () => checkTransactionOptions(options as TransactionOptions),
      ConfigError,
      message,
    );
  }
});
