import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import type { QueryOptions } from "../../src/database/limits.ts";
import { Table } from "../../src/database/table.ts";
import { Transaction } from "../../src/database/transaction.ts";
import { ConfigError, DatabaseError } from "../../src/errors.ts";
import { databaseTest, server } from "../support/database.ts";
import { FakeDriver } from "../support/fake_driver.ts";

type Queries = Database | Transaction;
type Calls<Q> = Record<string, (queries: Q, options: QueryOptions) => unknown>;

/** Calls that wait for whoever has locked the rows of `t`, and taken the key 2. */
const ROW_CALLS: Calls<Queries> = {
  query: (q, o) => q.query("SELECT * FROM t FOR UPDATE", [], o),
  queryOne: (q, o) => q.queryOne("SELECT * FROM t FOR UPDATE", [], o),
  execute: (q, o) => q.execute("UPDATE t SET n = 9", [], o),
  stream: (q, o) => q.stream("SELECT * FROM t", [], o).next(),
  insert: (q, o) => q.insert("t", { id: 2, n: 9 }, o),
  upsert: (q, o) => q.upsert("t", { id: 1, n: 9 }, o),
  select: (q, o) => q.select("t", o),
  selectOne: (q, o) => q.selectOne("t", { ...o, where: { id: 1 } }),
  count: (q, o) => q.count("t", o),
  update: (q, o) => q.update("t", { n: 9 }, { id: 1 }, o),
  delete: (q, o) => q.delete("t", { id: 1 }, o),
  pages: (q, o) => q.pages("t", o).next(),
  batchInsert: (q, o) => q.batchInsert("t", [{ id: 2, n: 9 }], o),
  batchUpdate: (q, o) => q.batchUpdate("t", [{ id: 1, n: 9 }], o),
  batchDelete: (q, o) => q.batchDelete("t", [1], o),
};

/** The same of a table. */
const TABLE_CALLS: Calls<Table> = {
  create: (t, o) => t.create({ id: 2, n: 9 }, o),
  read: (t, o) => t.read(1, o),
  update: (t, o) => t.update(1, { n: 9 }, o),
  delete: (t, o) => t.delete(1, o),
  list: (t, o) => t.list(o),
  count: (t, o) => t.count(o),
  exists: (t, o) => t.exists(1, o),
  upsert: (t, o) => t.upsert({ id: 1, n: 9 }, o),
  batchCreate: (t, o) => t.batchCreate([{ id: 2, n: 9 }], o),
  batchUpdate: (t, o) => t.batchUpdate([{ id: 1, n: 9 }], o),
  batchDelete: (t, o) => t.batchDelete([1], o),
  pages: (t, o) => t.pages(o).next(),
};

/** Calls that wait for whoever is making `fresh`; PostgreSQL's `t` is locked beside that. */
const NAME_CALLS: Calls<Queries> = {
  createTable: (q, o) => q.createTable("fresh", { id: "INT4 PRIMARY KEY" }, o),
  dropTable: (q, o) =>
    q.dropTable(server.kind === "postgresql" ? "t" : "fresh", o),
  exists: (q, o) => q.exists("fresh", o),
};

/** Calls that wait for whoever is making the database of this name. */
const FRESH_DATABASE = `crdb_limits_${crypto.randomUUID().slice(0, 8)}`;
const DATABASE_CALLS: Calls<Database> = {
  createDatabase: (db, o) => db.createDatabase(FRESH_DATABASE, o),
  dropDatabase: (db, o) =>
    db.dropDatabase(FRESH_DATABASE, { ...o, cascade: true, ifExists: true }),
};

/** Calls that wait for nothing but a connection. */
const SESSION_CALLS: Calls<Database> = {
  connect: (db, o) => db.connect(o),
  server: (db, o) => db.server(o),
  withSession: (db, o) => db.withSession(() => Promise.resolve(), o),
};

/** A call that needs no connection of the pool. */
const OPEN_CALLS: Calls<Database> = {
  openSession: (db, o) => db.openSession(o),
};

/** Methods that send nothing, or have options of their own. */
const OTHERS = [
  ...["constructor", "run", "runStream", "types", "config"],
  ...["table", "transaction", "runInTransaction", "close"],
];

const SHARED: Calls<Queries> = {
  ...ROW_CALLS,
  ...NAME_CALLS,
  ...ofTable(TABLE_CALLS),
};
const OWN: Calls<Database> = {
  ...DATABASE_CALLS,
  ...SESSION_CALLS,
  ...OPEN_CALLS,
};

/** The calls of a table as calls of what it belongs to. */
function ofTable(calls: Calls<Table>): Calls<Queries> {
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      `table.${name}`,
      (queries, options) => call(queries.table("t"), options),
    ]),
  );
}

function methodsOf({ prototype }: { prototype: object }): string[] {
  const names: string[] = [];
  for (
    let at = prototype;
    at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    names.push(...Object.getOwnPropertyNames(at));
  }
  return [...new Set(names)].filter((name) => !OTHERS.includes(name)).sort();
}

Deno.test("the calls below are all that Database, Transaction and Table have", () => {
  const shared = { ...ROW_CALLS, ...NAME_CALLS };
  const own = { ...shared, ...OWN };
  assertEquals(methodsOf(Transaction), Object.keys(shared).sort());
  assertEquals(methodsOf(Database), Object.keys(own).sort());
  assertEquals(methodsOf(Table), Object.keys(TABLE_CALLS).sort());
});

/** Makes every call, on a database and in a transaction; none may send anything. */
async function refuseAll(
  options: QueryOptions,
  refused: (call: () => Promise<unknown>, name: string) => Promise<unknown>,
): Promise<void> {
  const driver = new FakeDriver();
  await using db = new Database({ driver });
  const all = Object.entries({ ...SHARED, ...OWN });
  for (const [name, call] of all) {
    await refused(async () => await call(db, options), name);
  }
  assertEquals(driver.attempts, 0);
  await db.transaction(async (tx) => {
    for (const [name, call] of Object.entries(SHARED)) {
      await refused(async () => await call(tx, options), `tx.${name}`);
    }
  });
  assertEquals(driver.sessions[0].statements, [
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "COMMIT",
  ]);
}

Deno.test("every call rejects with the reason of a signal that has fired, and sends nothing", async () => {
  const reason = new Error("not wanted any more");
  const signal = AbortSignal.abort(reason);
  await refuseAll({ signal }, async (call, name) => {
    assertEquals(await call().catch((error) => error), reason, name);
  });
});

Deno.test("every call refuses options that it doesn't know, and sends nothing", async () => {
  await refuseAll({ signall: null } as QueryOptions, async (call, name) => {
    await assertRejects(
      call,
      ConfigError,
      'Cannot use the option "signall": unknown option; did you mean "signal"?',
      name,
    );
  });
  await using db = new Database({ driver: new FakeDriver() });
  const wrong = { signall: null } as never;
  const message = 'Cannot use the option "signall": unknown option';
  assertThrows(() => db.table("t", wrong), ConfigError, message);
  await assertRejects(() => db.close(wrong), ConfigError, message);
  await assertRejects(
    () => db.transaction(() => Promise.resolve(), wrong),
    ConfigError,
    message,
  );
});

Deno.test("every call refuses a time limit that is none, and sends nothing", async () => {
  await refuseAll({ timeoutMs: 0 }, async (call, name) => {
    await assertRejects(
      call,
      ConfigError,
      "Cannot use timeoutMs 0: give a number of milliseconds above 0",
      name,
    );
  });
});

Deno.test("Table's calls refuse what belongs to other calls", async () => {
  await using db = new Database({ driver: new FakeDriver() });
  const table = db.table("t");
  const cases: [string, () => Promise<unknown>][] = [
    ["limit", () => table.read(1, { limit: 1 } as never)],
    ["where", () => table.exists(1, { where: {} } as never)],
    ["all", () => table.update(1, { n: 1 }, { all: true } as never)],
    ["all", () => table.delete(1, { all: true } as never)],
    ["returning", () => table.batchCreate([], { returning: true } as never)],
    ["key", () => table.batchUpdate([], { key: "n" } as never)],
    ["key", () => table.batchDelete([], { key: "n" } as never)],
    ["key", () => table.pages({ key: "n" } as never).next()],
  ];
  for (const [name, call] of cases) {
    await assertRejects(call, ConfigError, `Cannot use the option "${name}"`);
  }
});

Deno.test("Database.transaction() with a token sends nothing where its signal has fired", async () => {
  const driver = new FakeDriver();
  await using db = new Database({ driver });
  const reason = new Error("not wanted any more");
  const error = await assertRejects(() =>
    db.transaction(() => Promise.resolve(), {
      signal: AbortSignal.abort(reason),
      token: "a",
    })
  );
  assertEquals(error, reason);
  assertEquals(driver.attempts, 0);
});

const TIMEOUT_MS = 500;
const MAX_CALLS = 50;

/** Makes every call at once, while another session has run `locks` in a transaction. */
async function timeOutAll<Q>(
  db: Database,
  { locks, calls, run }: {
    locks: readonly string[];
    calls: Calls<Q>;
    run: (fn: (queries: Q) => Promise<unknown>) => Promise<unknown>;
  },
): Promise<void> {
  const holder = await db.openSession();
  try {
    await holder.query("BEGIN");
    for (const lock of locks) await holder.query(lock);
    await Promise.all(
      Object.entries(calls).map(async ([name, call]) => {
        const error = await assertRejects(
          () =>
            run(async (queries) =>
              await call(queries, { timeoutMs: TIMEOUT_MS })
            ),
          DatabaseError,
          `Cannot finish the statement within ${TIMEOUT_MS} ms: it was cancelled`,
          name,
        );
        assertEquals(error.kind, "timeout", name);
      }),
    );
    await holder.query("ROLLBACK");
  } finally {
    await holder.close();
  }
}

const LOCKS = server.kind === "postgresql"
  ? {
    rows: ["LOCK TABLE t IN ACCESS EXCLUSIVE MODE"],
    names: ["LOCK TABLE t IN ACCESS EXCLUSIVE MODE", "CREATE TABLE fresh ()"],
    // Connecting goes on meanwhile.
    databases: ["LOCK TABLE pg_catalog.pg_database IN SHARE MODE"],
  }
  : {
    rows: ["UPDATE t SET n = n + 1", "INSERT INTO t VALUES (2, 0)"],
    names: ["CREATE TABLE fresh ()"],
    databases: [`CREATE DATABASE ${FRESH_DATABASE}`],
  };

databaseTest(
  "every call that waits for another's lock is cancelled after its timeoutMs",
  async (plain, { options }) => {
    // A call that forgets its limit fails by this one, rather than never.
    await using db = new Database({
      ...options,
      statementTimeoutMs: 10_000,
      pool: { max: MAX_CALLS },
    });
    await db.createTable("t", { id: "INT4 PRIMARY KEY", n: "INT4" });
    await db.insert("t", { id: 1, n: 0 });
    // No call is to wait for a connection.
    await Promise.all(
      Array.from({ length: MAX_CALLS }, () => db.query("SELECT pg_sleep(0.2)")),
    );
    const rows = { ...ROW_CALLS, ...ofTable(TABLE_CALLS) };
    const { exists: _, ...names } = NAME_CALLS;
    const phases = [
      { locks: LOCKS.rows, calls: rows },
      {
        locks: LOCKS.names,
        // PostgreSQL's catalog is read without waiting.
        calls: server.kind === "postgresql" ? names : NAME_CALLS,
      },
    ];
    for (const phase of phases) {
      await timeOutAll<Queries>(db, { ...phase, run: (fn) => fn(db) });
      await timeOutAll<Queries>(db, {
        ...phase,
        run: (fn) => db.transaction(fn),
      });
    }
    await timeOutAll(db, {
      locks: LOCKS.databases,
      calls: DATABASE_CALLS,
      run: (fn) => fn(db),
    });
    assertEquals(await plain.select("t"), [{ id: 1, n: 0 }]);
    assertEquals(await plain.exists("fresh"), false);
    const ones = await Promise.all(
      Array.from({ length: 12 }, () => db.queryOne("SELECT 1 AS one")),
    );
    assertEquals(ones, Array(12).fill({ one: 1 }));
  },
);

databaseTest(
  "every call that waits for a connection gives up after its timeoutMs",
  async (_, { options }) => {
    await using db = new Database({ ...options, pool: { max: 1 } });
    await db.withSession(async () => {
      for (
        const [name, call] of Object.entries({
          ...SHARED,
          ...DATABASE_CALLS,
          ...SESSION_CALLS,
        })
      ) {
        const error = await assertRejects(
          async () => await call(db, { timeoutMs: 20 }),
          DatabaseError,
          "within 20 ms: 1 of 1 are in use",
          name,
        );
        assertEquals(error.kind, "timeout", name);
      }
    });
    assertEquals(await db.exists("t"), false);
  },
);

Deno.test("Database.openSession() gives up after its timeoutMs", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const silent = listener.accept();
  await using db = new Database({ host: "127.0.0.1", port });
  await assertRejects(
    () => db.openSession({ timeoutMs: 100 }),
    DatabaseError,
    "the server didn't answer within 100 ms",
  );
  (await silent).close();
});

databaseTest(
  "a batch whose signal fires sends no more chunks",
  async (db, { options }) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY", n: "INT4" });
    const rows = Array.from({ length: 60 }, (_, id) => ({ id, n: 0 }));
    const ids = rows.map(({ id }) => id);
    const reason = new Error("enough");
    const calls: Record<
      string,
      (queries: Queries, signal: AbortSignal) => Promise<unknown>
    > = {
      INSERT: (q, signal) => q.batchInsert("t", rows, { chunkSize: 1, signal }),
      UPDATE: (q, signal) => q.batchUpdate("t", rows, { chunkSize: 1, signal }),
      DELETE: (q, signal) => q.batchDelete("t", ids, { chunkSize: 1, signal }),
    };
    for (const [command, call] of Object.entries(calls)) {
      let controller = new AbortController();
      let sent = 0;
      await using watched = new Database({
        ...options,
        onQuery({ text }) {
          if (!text.startsWith(command)) return;
          sent++;
          controller.abort(reason);
        },
      });
      const runs: ((signal: AbortSignal) => Promise<unknown>)[] = [
        (signal) => watched.transaction((tx) => call(tx, signal)),
        (signal) => call(watched, signal),
      ];
      for (const run of runs) {
        controller = new AbortController();
        sent = 0;
        const error = await assertRejects(() => run(controller.signal));
        assertEquals(error, reason, command);
        assert(sent > 0 && sent <= 8, `${command}: ${sent} of 60 were sent`);
        assertEquals(await watched.queryOne("SELECT 1 AS one"), { one: 1 });
      }
    }
  },
);

databaseTest(
  "pages end with the reason of a signal that fires between two of them",
  async (db) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY" });
    await db.batchInsert("t", [{ id: 1 }, { id: 2 }]);
    const controller = new AbortController();
    const reason = new Error("enough");
    const { signal } = controller;
    const pages = db.table("t").pages({ size: 1, signal });
    assertEquals((await pages.next()).value, [{ id: 1 }]);
    controller.abort(reason);
    assertEquals(await assertRejects(() => pages.next()), reason);
  },
);
