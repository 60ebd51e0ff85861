import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  AmbiguousCommitError,
  ConfigError,
  DatabaseError,
} from "../../src/errors.ts";
import {
  Attempts,
  type TransactionOptions,
} from "../../src/database/attempt.ts";
import { Database } from "../../src/database/database.ts";
import type { Transaction } from "../../src/database/transaction.ts";
import { databaseTest, server } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";
import {
  type Action,
  faultProxy,
  type ProxyFrame,
} from "../support/fault_proxy.ts";

/** Registers a test with a client behind a proxy, on a table `t (id)`, and one that goes straight. */
function proxyTest(
  name: string,
  onFrame: (frame: ProxyFrame) => Action | undefined,
  fn: (db: Database, straight: Database) => Promise<void>,
): void {
  databaseTest(name, async (straight, { options }) => {
    await straight.createTable("t", { id: "INT PRIMARY KEY" });
    const { hostname: host, port } = new URL(server.url);
    await using proxy = await faultProxy({
      upstream: { host, port: Number(port) },
      onFrame,
    });
    await using db = new Database({
      ...options,
      url: proxy.through(server.url),
    });
    await fn(db, straight);
  });
}

/** Does something to the first frame that fits, and lets all others pass. */
function once(
  fits: (frame: ProxyFrame) => boolean,
  action: Action,
): (frame: ProxyFrame) => Action | undefined {
  let done = false;
  return (frame) => {
    if (done || !fits(frame)) return;
    done = true;
    return action;
  };
}

const isCommit = ({ direction, text }: ProxyFrame) =>
  direction === "client" && text === "COMMIT";
const isInsert = ({ direction, text }: ProxyFrame) =>
  direction === "client" && text?.includes('INTO "t"') === true;

/** Inserts a row, and counts the attempts. */
async function insertOne(
  db: Database,
  options: TransactionOptions = {},
): Promise<number> {
  let attempts = 0;
  return await db.transaction(async (tx) => {
    attempts++;
    await tx.insert("t", { id: 1 });
    return attempts;
  }, options);
}

proxyTest(
  "a transaction whose connection is lost before COMMIT runs again on another",
  once(isInsert, { cut: "after" }),
  async (db, straight) => {
    assertEquals(await insertOne(db), 2);
    assertEquals(await straight.count("t"), 1);
  },
);

proxyTest(
  "a transaction runs again where the server says 40001 at a statement",
  once(isInsert, { error: { code: "40001", message: "restart transaction" } }),
  async (db, straight) => {
    assertEquals(await insertOne(db), 2);
    assertEquals(await straight.count("t"), 1);
  },
);

proxyTest(
  "a transaction runs again where the server says 40001 at COMMIT",
  once(isCommit, { error: { code: "40001", message: "restart transaction" } }),
  async (db, straight) => {
    assertEquals(await insertOne(db), 2);
    assertEquals(await straight.count("t"), 1);
  },
);

for (const code of ["53200", "53300", "58C00"]) {
  proxyTest(
    `a transaction runs again where the server is overloaded (${code})`,
    once(isInsert, { error: { code, message: "no room" } }),
    async (db, straight) => {
      assertEquals(await insertOne(db), 2);
      assertEquals(await straight.count("t"), 1);
    },
  );
}

databaseTest(
  "a transaction whose server is away for a moment runs again when it is back",
  async (straight, { options }) => {
    await straight.createTable("t", { id: "INT PRIMARY KEY" });
    const { hostname: host, port } = new URL(server.url);
    const upstream = { host, port: Number(port) };
    let backAt: number | undefined;
    await using proxy = await faultProxy({
      upstream,
      onFrame: (frame) => {
        if (isInsert(frame)) backAt ??= performance.now() + 300;
        return backAt !== undefined && performance.now() < backAt
          ? { cut: "before" }
          : undefined;
      },
    });
    const url = proxy.through(server.url);
    await using db = new Database({ ...options, url });
    await db.connect();
    assertEquals(await insertOne(db), 2);
    assertEquals(await straight.count("t"), 1);
  },
);

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
  "a signal ends the waiting for the table of tokens",
  async (db) => {
    const holder = await db.openSession();
    await holder.query("BEGIN");
    await holder.query("CREATE TABLE _crdb_tokens (token TEXT PRIMARY KEY)");
    const reason = new Error("enough");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 200);
    const error = await assertRejects(() =>
      db.transaction((tx) => tx.query("SELECT 1"), {
        token: "a",
        signal: controller.signal,
      })
    );
    assertStrictEquals(error, reason);
    await holder.close();
  },
);

databaseTest(
  "a transaction that reads the past needs no row for its token",
  async (db) => {
    const now = await db.transaction(
      (tx) => tx.queryOne("SELECT 1 AS one"),
      { token: "a", asOfSystemTime: "-1ms" },
    );
    assertEquals(now, { one: 1 });
  },
  { on: ["cockroachdb"] },
);

proxyTest(
  "a transaction whose callback swallows 40001 runs again",
  once(isInsert, { error: { code: "40001", message: "restart transaction" } }),
  async (db, straight) => {
    let attempts = 0;
    await db.transaction(async (tx) => {
      attempts++;
      await tx.insert("t", { id: 1 }).catch(() => {});
    });
    assertEquals([attempts, await straight.count("t")], [2, 1]);
  },
);

proxyTest(
  "a transaction whose COMMIT is lost on its way is ambiguous without a token",
  once(isCommit, { cut: "before" }),
  async (db) => {
    const error = await assertRejects(
      () => insertOne(db),
      AmbiguousCommitError,
      "Cannot tell whether the transaction committed: the answer to COMMIT was lost; look for its effects before running it again, or give transaction() a token",
    );
    assertEquals([error.kind, error.code], ["ambiguous", "40003"]);
    assert(error.cause instanceof DatabaseError);
    assertEquals(error.cause.kind, "connection");
  },
);

proxyTest(
  "a transaction whose COMMIT is answered with 40003 is ambiguous without a token",
  once(isCommit, {
    errorAfter: { code: "40003", message: "result is ambiguous" },
  }),
  async (db, straight) => {
    await assertRejects(() => insertOne(db), AmbiguousCommitError);
    assertEquals(await straight.count("t"), 1);
  },
);

for (
  const fields of [
    { severity: "ERROR", code: "08006" },
    { severity: "ERROR", code: "08007" },
    { severity: "FATAL", code: "XX000" },
    { severity: "PANIC", code: "XX000" },
  ]
) {
  proxyTest(
    `a transaction whose COMMIT is answered with ${fields.severity} ${fields.code} is ambiguous`,
    once(isCommit, { errorAfter: { ...fields, message: "crash of another" } }),
    async (db, straight) => {
      await assertRejects(() => insertOne(db), AmbiguousCommitError);
      assertEquals(await straight.count("t"), 1);
    },
  );
}

proxyTest(
  "a token tells that a lost COMMIT took effect",
  once(isCommit, { cut: "after" }),
  async (db, straight) => {
    assertEquals(await insertOne(db, { token: "order 7" }), 1);
    assertEquals(await straight.count("t"), 1);
  },
);

proxyTest(
  "a token tells that a lost COMMIT took no effect, and the transaction runs again",
  once(isCommit, { cut: "before" }),
  async (db, straight) => {
    assertEquals(await insertOne(db, { token: "order 7" }), 2);
    assertEquals(await straight.count("t"), 1);
    const rows = await straight.select("_crdb_tokens", { columns: ["token"] });
    assertEquals(rows, [{ token: "order 7" }]);
  },
);

proxyTest(
  "a transaction that only reads runs again where the answer to COMMIT is lost",
  once(isCommit, { cut: "after" }),
  async (db) => {
    let attempts = 0;
    const count = await db.transaction((tx) => {
      attempts++;
      return tx.count("t");
    }, { readOnly: true, token: "moot" });
    assertEquals([attempts, count], [2, 0]);
  },
);

proxyTest(
  "a statement whose connection is lost says that its outcome is unknown",
  once(({ type, text }) => type === "Query" && /^INSERT/.test(text!), {
    cut: "after",
  }),
  async (db, straight) => {
    const statement = "INSERT INTO t VALUES (1)";
    const error = await assertRejects(
      () => db.execute(statement),
      DatabaseError,
      "Cannot tell whether the statement took effect: its connection was lost",
    );
    assertEquals([error.kind, error.code], ["connection", "08006"]);
    assertEquals(error.statement, statement);
    assertEquals(await straight.count("t"), 1);
  },
);

proxyTest(
  "a statement that the server's last word of any code ends has an unknown outcome",
  once(({ type, text }) => type === "Query" && /^INSERT/.test(text!), {
    errorAfter: { severity: "PANIC", code: "XX000", message: "crash" },
  }),
  async (db) => {
    const error = await assertRejects(
      () => db.execute("INSERT INTO t VALUES (1)"),
      DatabaseError,
      "Cannot tell whether the statement took effect: its connection was lost (crash)",
    );
    assertEquals([error.kind, error.code], ["other", "XX000"]);
  },
);

databaseTest(
  "a token whose look-up fails leaves the outcome open, and names the row",
  async (straight, { options }) => {
    await straight.createTable("t", { id: "INT PRIMARY KEY" });
    const { hostname: host, port } = new URL(server.url);
    let gone = false;
    await using proxy = await faultProxy({
      upstream: { host, port: Number(port) },
      onFrame: (frame) => {
        gone ||= isCommit(frame);
        return gone ? { cut: "before" } : undefined;
      },
    });
    await using db = new Database({
      ...options,
      url: proxy.through(server.url),
    });
    await assertRejects(
      () => insertOne(db, { token: "order 7" }),
      AmbiguousCommitError,
      'the answer to COMMIT was lost; look for the row "order 7" in _crdb_tokens before running it again',
    );
  },
);

databaseTest(
  "a token can be looked up while its COMMIT is still under way",
  async (db) => {
    await db.transaction((tx) => tx.query("SELECT 1"), { token: "first" });
    const open = await db.openSession();
    await open.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
    await open.query("INSERT INTO _crdb_tokens (token) VALUES ($1)", [
      "second",
    ]);
    const committed = db.withSession(async (session) => {
      const { Tokens } = await import("../../src/database/tokens.ts");
      const pool = {
        use: (fn: (one: typeof session) => unknown) => fn(session),
      };
      return await new Tokens(db, pool as never).isCommitted("second");
    });
    const early = await Promise.race([
      committed,
      new Promise((resolve) => setTimeout(() => resolve("waits"), 200)),
    ]);
    assertEquals(early, "waits");
    await open.query("COMMIT");
    assertEquals(await committed, true);
    await open.close();
  },
);

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

databaseTest(
  "Database.transaction() rejects where its callback has ended the transaction itself",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    for (const command of ["COMMIT", "ROLLBACK"]) {
      const error = await assertRejects(
        () =>
          db.transaction(async (tx) => {
            await tx.execute(command);
            await tx.query("SELECT 1");
          }),
        DatabaseError,
        `Cannot commit: a ${command} of the callback has ended the transaction already`,
      );
      assertEquals(error.code, "25P01");
    }
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
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
    });
    assertEquals(await db.count("t"), 2);
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

databaseTest("Database.transaction() gives up after maxRetries", async (db) => {
  let attempts = 0;
  const restart = new DatabaseError({ code: "40001", message: "restart" });
  const thrown = await db.transaction(() => {
    attempts++;
    return Promise.reject(restart);
  }, { maxRetries: 2 }).catch((error) => error);
  assertStrictEquals(thrown, restart);
  assertEquals(attempts, 3);
});

databaseTest(
  "Database.transaction() doesn't run again for another connection's loss",
  async (db) => {
    let attempts = 0;
    await assertRejects(() =>
      db.transaction(() => {
        attempts++;
        const message = "another database is gone";
        return Promise.reject(new DatabaseError({ code: "08006", message }));
      }), DatabaseError);
    assertEquals(attempts, 1);
  },
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

Deno.test("Attempts refuses options that it doesn't know", () => {
  const make = (options: object) => () =>
    new Attempts({} as never, () => Promise.resolve(), options);
  assertThrows(
    make({ isolation: "serializable; drop table t" }),
    ConfigError,
    'Cannot begin a transaction with isolation "serializable; drop table t": give one of serializable, repeatable read, read committed',
  );
  for (const isolation of ["READ COMMITTED", "read_committed"]) {
    assert(make({ isolation })() instanceof Attempts);
  }
  for (const maxRetries of [-1, NaN, "3"]) {
    assertThrows(
      make({ maxRetries }),
      ConfigError,
      `Cannot run a transaction with maxRetries ${maxRetries}: give a number from 0`,
    );
  }
  assertThrows(
    make({ priority: "urgent" }),
    ConfigError,
    'Cannot begin a transaction with priority "urgent": give one of low, normal, high',
  );
  assertThrows(
    make({ readonly: true }),
    ConfigError,
    'Cannot use the option "readonly": unknown option; did you mean "readOnly"?',
  );
});
