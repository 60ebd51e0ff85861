/**
 * The jobs of schema changes and the sessions in their way, on real servers; what only newer
 * versions of CockroachDB answer comes from a session that is simulated.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Database } from "../../src/database/database.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import type { QueryResult, Session } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import type { FreshDatabase } from "../../src/fresh_database.ts";
import type { Blocker } from "../../src/migration/events.ts";
import { blockersOf } from "../../src/migration/blockers.ts";
import {
  cancelJobs,
  isFinal,
  type Job,
  schemaJobs,
  waitForJobs,
} from "../../src/migration/jobs.ts";
import { serverKind, sessionName } from "../../src/migration/server.ts";
import { databaseTest } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";

const { driver } = drivers.find(({ reason }) => reason === undefined)!;
const ROWS = 100_000;
const LIMIT_MS = 30_000;

/** Runs `fn` with sessions of its own, which are closed afterwards. */
async function withSessions(
  { options }: Pick<FreshDatabase, "options">,
  names: readonly string[],
  fn: (...sessions: Session[]) => Promise<void>,
): Promise<void> {
  const { url, database, user } = options;
  const sessions = await Promise.all(
    names.map((applicationName) =>
      driver.connect(resolveConfig({ url, database, user, applicationName }))
    ),
  );
  try {
    await fn(...sessions);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** Asks until the answer is good; fails where it isn't within 30 seconds. */
async function eventually<T>(
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
): Promise<T> {
  const start = performance.now();
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    const text = JSON.stringify(answer);
    assert(performance.now() - start < LIMIT_MS, `no good answer: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function nameOf(session: Session): Promise<string> {
  const { rows } = await session.query(
    `SELECT ${sessionName(serverKind(session))}`,
  );
  return rows[0][0]!;
}

async function databaseTime(db: Database): Promise<Date> {
  return (await db.queryOne<{ now: Date }>`SELECT now() AS now`)!.now;
}

async function fill(db: Database): Promise<Date> {
  await db.execute("CREATE TABLE big (id INT8 PRIMARY KEY, v INT8)");
  await db.execute(
    `INSERT INTO big SELECT g, g % 1000 FROM generate_series(1, ${ROWS}) g`,
  );
  return await databaseTime(db);
}

/** The jobs of the database of a test: others may run on the same server. */
async function jobsIn(
  { name }: FreshDatabase,
  session: Session,
  since: Date,
): Promise<Job[]> {
  const jobs = await schemaJobs(session, since);
  return jobs.filter(({ description }) => description.includes(name));
}

databaseTest(
  "schemaJobs() lists a schema change under way, and waitForJobs() waits for it",
  async (db, fresh) => {
    const since = await fill(db);
    await withSessions(fresh, ["worker", "looker"], async (worker, looker) => {
      const change = worker.query("CREATE INDEX big_v ON big (v)");
      const [job] = await eventually(
        () => jobsIn(fresh, looker, since),
        (jobs) => jobs.length > 0,
      );
      assertEquals(isFinal(job), false);
      const seen: Job[] = [];
      const [last] = await waitForJobs(looker, [job], {
        onProgress: (jobs) => seen.push(...jobs),
      });
      assert(seen.length > 0);
      assertEquals(new Set(seen.map(({ id }) => id)), new Set([job.id]));
      assert(seen.every((job) => !isFinal(job) && job.fraction <= 1));
      assertEquals(last.status, "succeeded");
      assertEquals(last.fraction, 1);
      assertEquals(last.error, "");
      assert(last.description.startsWith("CREATE INDEX big_v"));
      assert(Math.abs(last.created.getTime() - since.getTime()) < LIMIT_MS);
      await change;
    });
  },
  { on: ["cockroachdb"] },
);

databaseTest(
  "schemaJobs() leaves out earlier jobs and those that collect garbage",
  async (db, fresh) => {
    await db.execute("CREATE TABLE t (id INT8 PRIMARY KEY, v INT8)");
    const first = await databaseTime(db);
    await db.execute("CREATE INDEX t_v ON t (v)");
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const second = await databaseTime(db);
    await db.execute("DROP INDEX t@t_v");
    await withSessions(fresh, ["looker"], async (looker) => {
      const verbs = async (since: Date) =>
        (await jobsIn(fresh, looker, since)).map(({ description }) =>
          description.split(" ").slice(0, 2).join(" ")
        );
      assertEquals(await verbs(first), ["CREATE INDEX", "DROP INDEX"]);
      assertEquals(await verbs(second), ["DROP INDEX"]);
    });
  },
  { on: ["cockroachdb"] },
);

databaseTest(
  "cancelJobs() ends a schema change, and passes over one that is over",
  async (db, fresh) => {
    const since = await fill(db);
    await withSessions(fresh, ["worker", "looker"], async (worker, looker) => {
      // The server looks for jobs to cancel each 10 seconds, and for those to revert each 30.
      await db.execute(
        "SET CLUSTER SETTING jobs.registry.interval.base = 0.05",
      );
      const change = assertRejects(
        () => worker.query("CREATE INDEX big_v ON big (v)"),
        DatabaseError,
        "job canceled",
      );
      const jobs = await eventually(
        () => jobsIn(fresh, looker, since),
        (jobs) => jobs.some(({ status }) => status === "running"),
      );
      await cancelJobs(looker, jobs);
      const over = await waitForJobs(looker, jobs);
      await db.execute("RESET CLUSTER SETTING jobs.registry.interval.base");
      assertEquals(over.map(({ status }) => status), ["canceled"]);
      await change;
      await cancelJobs(looker, jobs);
      const { rows } = await looker.query(
        "SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'big_v'",
      );
      assertEquals(rows, []);
    });
  },
  { on: ["cockroachdb"] },
);

databaseTest("schemaJobs() is empty on PostgreSQL", async (_db, fresh) => {
  await withSessions(fresh, ["looker"], async (looker) => {
    assertEquals(await schemaJobs(looker, new Date(0)), []);
  });
}, { on: ["postgresql"] });

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

const TYPES = {
  job_id: 20,
  created: 1184,
  session_start: 1184,
  asked_at: 1184,
  active_query_start: 1184,
};

/** A session of CockroachDB that answers what `answers` gives, one after the other. */
function simulated(
  ...answers: readonly (readonly Record<string, string | null>[])[]
): Session & { texts: string[] } {
  const left = [...answers];
  const texts: string[] = [];
  const query = (text: string): Promise<QueryResult> => {
    texts.push(text);
    const rows = left.shift() ?? [];
    const names = Object.keys(rows[0] ?? {});
    return Promise.resolve({
      columns: names.map((name) => ({
        name,
        typeOid: TYPES[name as keyof typeof TYPES] ?? 25,
      })),
      rows: rows.map((row) => names.map((name) => row[name])),
      command: "SELECT",
      rowCount: rows.length,
      notices: [],
    });
  };
  return {
    parameters: { crdb_version: "CockroachDB CCL v26.1.0" },
    broken: false,
    transactionStatus: "idle",
    query,
    stream: () => {
      throw new Error("not simulated");
    },
    cancel: () => Promise.resolve(),
    close: () => Promise.resolve(),
    texts,
  };
}

const JOB = {
  job_id: "1229830118238617601",
  job_type: "NEW SCHEMA CHANGE",
  user_name: "root",
  status: "paused",
  created: "2026-01-02 03:04:05.678+00",
};

Deno.test("schemaJobs() does without the columns that a version lacks (simulated)", async () => {
  const session = simulated([JOB]);
  assertEquals(await schemaJobs(session, new Date(5_000)), [{
    id: "1229830118238617601",
    type: "NEW SCHEMA CHANGE",
    description: "",
    status: "paused",
    runningStatus: "",
    fraction: 0,
    error: "",
    created: new Date("2026-01-02T03:04:05.678Z"),
  }]);
  assertEquals(session.texts, [
    "WITH j AS (SHOW JOBS) SELECT * FROM j WHERE user_name = current_user " +
    "AND job_type LIKE '%SCHEMA CHANGE' AND extract(epoch FROM created) >= 4 ORDER BY created",
  ]);
});

Deno.test("waitForJobs() tells of a paused job and goes on waiting (simulated)", async () => {
  const session = simulated(
    [JOB],
    [{ ...JOB, status: "reverting" }],
    [{ ...JOB, status: "revert-failed" }],
  );
  const [job] = await schemaJobs(simulated([JOB]), new Date(0));
  const seen: string[] = [];
  const over = await waitForJobs(session, [job], {
    onProgress: ([{ status }]) => seen.push(status),
    pollMs: 1,
  });
  assertEquals(seen, ["paused", "reverting"]);
  assertEquals(over.map(({ status }) => status), ["revert-failed"]);
});

Deno.test("waitForJobs() ends with the signal's reason (simulated)", async () => {
  const controller = new AbortController();
  const [job] = await schemaJobs(simulated([JOB]), new Date(0));
  const wait = waitForJobs(simulated([JOB]), [job], {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("enough")),
  });
  await assertRejects(() => wait, Error, "enough");
});

Deno.test("blockersOf() names the sessions that SHOW SESSIONS calls active, but none in passing (simulated)", async () => {
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
