/**
 * The sessions in the way of a schema change, on real servers; what only newer versions of CockroachDB
 * answer comes from a session that is simulated.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Session } from "../../src/driver/driver.ts";
import { blockersOf } from "../../src/migration/blockers.ts";
import type { Blocker } from "../../src/migration/events.ts";
import { serverKind, sessionName } from "../../src/migration/server.ts";
import { databaseTest } from "../support/database.ts";
import {
  databaseTime,
  eventually,
  LIMIT_MS,
  withSessions,
} from "../support/named_sessions.ts";
import { simulated } from "../support/simulated_session.ts";

async function nameOf(session: Session): Promise<string> {
  const { rows } = await session.query(
    `SELECT ${sessionName(serverKind(session))}`,
  );
  return rows[0][0]!;
}

databaseTest(
  "blockersOf() names the idle transaction that a schema change stands behind",
  async (db, fresh) => {
    const { kind } = await db.server();
    await db.execute("CREATE TABLE t (id INT8 PRIMARY KEY)");
    await withSessions(
      fresh,
      ["idler", "worker", "looker"],
      async (idler, worker, looker) => {
        const idle = await nameOf(idler);
        const main = await nameOf(worker);
        const expected = kind === "postgresql" ? idle.split("/")[0] : idle;
        // Other tests on the same server may have transactions of their own.
        const ask = async (): Promise<Blocker[]> =>
          (await blockersOf(looker, kind, { session: main }))
            .filter((blocker) =>
              kind === "postgresql" || blocker.session === idle
            );
        assertEquals(await ask(), []);
        const before = await databaseTime(db);
        await idler.query("BEGIN");
        await idler.query("SELECT count(*) FROM t");
        const change = worker.query("ALTER TABLE t ADD COLUMN v INT8");
        const [blocker, ...others] = await eventually(
          ask,
          ({ length }) => length > 0,
        );
        assertEquals(others, []);
        assertEquals(blocker.session, expected);
        assertEquals(blocker.application, "idler");
        assertEquals(blocker.isCertain, kind === "postgresql");
        assertEquals(blocker.query, "SELECT count(*) FROM t");
        assert(Math.abs(blocker.since.getTime() - before.getTime()) < LIMIT_MS);
        const all = await blockersOf(looker, kind, { session: main });
        const own = [main, await nameOf(looker)].map((name) =>
          name.split("/")[0]
        );
        assert(all.every(({ session }) => !own.includes(session)));
        await idler.query("COMMIT");
        await change;
        assertEquals(await ask(), []);
      },
    );
  },
);

databaseTest(
  "blockersOf() names what may stand in the way where a user can't see transactions",
  async (db, { options }) => {
    const user = `crdb_role_${crypto.randomUUID().slice(0, 8)}`;
    await db.execute(`CREATE USER ${user}`);
    try {
      await withSessions(
        { options: { ...options, user } },
        ["idler", "done", "waiter", "worker", "looker"],
        async (idler, done, waiter, worker, looker) => {
          await done.query("BEGIN; SELECT 1; COMMIT");
          await idler.query("BEGIN");
          await idler.query("SELECT 1 AS one");
          await waiter.query("SELECT 1 AS _migrations_lease");
          await worker.query("SELECT 2");
          const main = await nameOf(worker);
          const [blocker, ...others] = await eventually(
            () => blockersOf(looker, "cockroachdb", { session: main }),
            ({ length }) => length > 0,
          );
          assertEquals(others, []);
          assertEquals(
            [blocker.application, blocker.query],
            ["idler", "SELECT 1 AS one"],
          );
        },
      );
    } finally {
      await db.execute(`DROP USER ${user}`);
    }
  },
  { on: ["cockroachdb"] },
);

/** What SHOW SESSIONS says of a session. */
const SESSION = {
  session_id: "a",
  status: "ACTIVE",
  application_name: "web",
  active_queries: "",
  last_active_query: "SELECT " + "x".repeat(200),
  active_query_start: null,
  session_start: "2026-01-02 03:00:00+00",
  asked_at: "2026-01-02 03:10:00+00",
};

Deno.test("blockersOf() cuts no password so that it couldn't be told any more (simulated)", async () => {
  const active_queries = `SELECT 'postgresql://u:${"s3cret".repeat(20)}@h/d'`;
  const session = simulated([{ ...SESSION, active_queries }]);
  const [{ query }] = await blockersOf(session, "cockroachdb", { session: "" });
  assertEquals(query, "SELECT 'postgresql://u:***@h/d'");
});

Deno.test("blockersOf() names the sessions that SHOW SESSIONS calls active, but none in passing (simulated)", async () => {
  const session = simulated([
    SESSION,
    { ...SESSION, session_id: "b", status: "IDLE" },
    {
      ...SESSION,
      session_id: "c",
      active_queries: "SELECT 1",
      active_query_start: "2026-01-02 03:09:59.5+00",
    },
    {
      ...SESSION,
      session_id: "d",
      active_queries: "SELECT 2",
      active_query_start: "2026-01-02 03:09:00+00",
      session_start: "2026-01-02 02:00:00+00",
    },
  ]);
  const blockers = await blockersOf(session, "cockroachdb", {
    session: "it's me",
  });
  assertEquals(blockers, [
    {
      session: "d",
      application: "web",
      since: new Date("2026-01-02T02:00:00Z"),
      query: "SELECT 2",
      isCertain: false,
    },
    {
      session: "a",
      application: "web",
      since: new Date("2026-01-02T03:00:00Z"),
      query: "SELECT " + "x".repeat(93),
      isCertain: false,
    },
  ]);
  assertEquals(session.texts, [
    "WITH s AS (SHOW SESSIONS) SELECT *, now() AS asked_at FROM s " +
    "WHERE session_id NOT IN ('it''s me', current_setting('session_id'))",
  ]);
});
