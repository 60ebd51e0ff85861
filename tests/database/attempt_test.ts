/**
 * Which transactions run again, and what is known of them where COMMIT's answer is lost.
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
import { AmbiguousCommitError, DatabaseError } from "../../src/errors.ts";
import { databaseTest, server } from "../support/database.ts";
import { faultProxy } from "../support/fault_proxy.ts";
import {
  insertOne,
  isCommit,
  isInsert,
  once,
  proxyTest,
} from "../support/proxied_database.ts";

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
