/**
 * The tokens of transactions, which tell whether a lost COMMIT took effect.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { AmbiguousCommitError } from "../../src/errors.ts";
import { databaseTest, server } from "../support/database.ts";
import { faultProxy } from "../support/fault_proxy.ts";
import {
  insertOne,
  isCommit,
  once,
  proxyTest,
} from "../support/proxied_database.ts";

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
