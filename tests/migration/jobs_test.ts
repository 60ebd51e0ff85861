/**
 * The jobs of schema changes, on real servers; what only newer versions of CockroachDB answer comes
 * from a session that is simulated.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Database } from "../../src/database/database.ts";
import type { Session } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import type { FreshDatabase } from "../../src/fresh_database.ts";
import {
  cancelJobs,
  isFinal,
  type Job,
  schemaJobs,
  waitForJobs,
} from "../../src/migration/jobs.ts";
import { databaseTest } from "../support/database.ts";
import {
  databaseTime,
  eventually,
  LIMIT_MS,
  withSessions,
} from "../support/named_sessions.ts";
import { simulated } from "../support/simulated_session.ts";

const ROWS = 100_000;

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
