/**
 * The limits and signals of calls that wait for a server.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { DatabaseError } from "../../src/errors.ts";
import {
  type Calls,
  DATABASE_CALLS,
  FRESH_DATABASE,
  NAME_CALLS,
  ofTable,
  type Queries,
  ROW_CALLS,
  SESSION_CALLS,
  SHARED,
  TABLE_CALLS,
} from "../support/calls.ts";
import { databaseTest, server } from "../support/database.ts";

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
  "the timeoutMs of a batch in a transaction is that of each chunk alone",
  async (db) => {
    await db.createTable("t", {
      id: "INT4 PRIMARY KEY",
      slept: "TEXT DEFAULT pg_sleep(0.2)::TEXT",
    });
    const rows = Array.from({ length: 6 }, (_, id) => ({ id }));
    const limits = { chunkSize: 1, timeoutMs: TIMEOUT_MS };
    await db.transaction((tx) => tx.batchInsert("t", rows, limits));
    assertEquals(await db.count("t"), 6);
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

databaseTest(
  "a call that has waited in its transaction keeps what the server said of its end",
  async (db) => {
    const text =
      "DO $$ BEGIN RAISE NOTICE 'job 1'; PERFORM pg_sleep(60); END $$";
    await db.transaction(async (tx) => {
      const first = tx.query("SELECT 1");
      const error = await assertRejects(
        () => tx.query(text, [], { timeoutMs: 200 }),
        DatabaseError,
        "Cannot finish the statement within 200 ms",
      );
      await first;
      assertEquals((error.cause as DatabaseError).code, "57014");
      assertEquals(error.notices.map(({ message }) => message), ["job 1"]);
      throw new Error("the transaction is over");
    }).catch(({ message }) => assertEquals(message, "the transaction is over"));
  },
  { on: ["postgresql"] },
);
