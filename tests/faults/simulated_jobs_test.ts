import { assert, assertEquals } from "@std/assert";
import type { MigrationEvent } from "../../src/migration/events.ts";
import { statementHash } from "../../src/migration/section.ts";
import { databaseTest } from "../support/database.ts";
import {
  simulatedCockroach,
  type SimulatedJob,
} from "../support/simulated_cockroach.ts";
import { notInFull } from "../support/faults.ts";
import { said, type Trial, withTrial } from "../support/trial.ts";

/** CockroachDB has jobs of its own, and PGlite's sessions can't see each other. */
const ON = { on: ["postgresql" as const] };

const STATEMENT = "ALTER TABLE accounts ADD COLUMN extra INT8";

const OPTIONS = {
  strategy: "statements" as const,
  more: [{ name: "900_add_a_column.sql", text: `${STATEMENT};` }],
};

const isSchemaChange = (text?: string) => text?.includes(STATEMENT) ?? false;

/** Loses the client when it has sent the schema change, which the server never gets to see. */
async function loseAtSchemaChange(trial: Trial): Promise<void> {
  const { error } = await trial.behind("migrate", {
    onFrame: simulatedCockroach(
      () => [],
      ({ direction, text }) =>
        direction === "client" && isSchemaChange(text)
          ? { cut: "before" }
          : undefined,
    ).onFrame,
  });
  assert(error !== undefined);
  await trial.endLease();
}

async function hasColumn(trial: Trial): Promise<boolean> {
  const rows = await trial.db.query(
    "SELECT 1 FROM pg_attribute WHERE attrelid = 'accounts'::REGCLASS AND attname = 'extra'",
  );
  return rows.length > 0;
}

databaseTest(
  "migrate() waits for the job that a lost run has left, and doesn't repeat what it did (simulated)",
  () =>
    withTrial(OPTIONS, async (trial) => {
      await loseAtSchemaChange(trial);
      const job: SimulatedJob = { job_id: "1001", status: "running" };
      const events: MigrationEvent[] = [];
      let ends: Promise<unknown> | undefined;
      const simulated = simulatedCockroach((asked) => {
        if (asked === 2) {
          // The job ends only once its effect is there.
          ends = trial.db.execute(STATEMENT).then(() => {
            job.status = "succeeded";
          });
        }
        return [job];
      });
      const { error, frames } = await trial.behind("migrate", {
        onFrame: simulated.onFrame,
        onEvent: (event) => events.push(event),
      });
      await ends;
      assertEquals(error, undefined, said(error));
      assert(simulated.asked >= 3, `it asked ${simulated.asked} times`);
      assertEquals(frames.filter(({ text }) => isSchemaChange(text)), []);
      assertEquals(
        events.flatMap((event) =>
          event.type === "statement-reconciled" ? [event.outcome] : []
        ),
        ["done"],
      );
      assertEquals(simulated.cancelled, []);
      assertEquals((await trial.journal()).applied.length, 2);
    }),
  ON,
);

databaseTest(
  "migrate() repeats a schema change whose job has failed (simulated)",
  () =>
    withTrial(OPTIONS, async (trial) => {
      await loseAtSchemaChange(trial);
      const job = { job_id: "1002", status: "failed", error: "out of space" };
      const { error, frames } = await trial.behind("migrate", {
        onFrame: simulatedCockroach(() => [job]).onFrame,
      });
      assertEquals(error, undefined, said(error));
      assertEquals(frames.filter(({ text }) => isSchemaChange(text)).length, 1);
      assert(await hasColumn(trial));
    }),
  ON,
);

databaseTest(
  "migrate() tells of a job's progress, and one wish to stop leaves it to end (simulated)",
  () =>
    withTrial(OPTIONS, async (trial) => {
      const events: MigrationEvent[] = [];
      const job: SimulatedJob = {
        job_id: "1003",
        status: "running",
        running_status: "backfilling",
        fraction_completed: 0.5,
      };
      const controller = new AbortController();
      const { error } = await trial.behind("migrate", {
        onFrame: simulatedCockroach(
          () => [job],
          ({ direction, text }) =>
            direction === "client" && isSchemaChange(text)
              ? { rewrite: `SELECT pg_sleep(4); ${STATEMENT}` }
              : undefined,
        ).onFrame,
        onEvent: (event) => {
          events.push(event);
          if (event.type === "job-progress") controller.abort();
        },
      }, { signal: controller.signal });
      const told = events.find((event) => event.type === "job-progress");
      assert(told?.type === "job-progress");
      const { status, runningStatus, fraction, elapsedMs } = told;
      assertEquals(
        [told.job, status, runningStatus, fraction],
        ["1003", "running", "backfilling", 0.5],
      );
      assert(elapsedMs >= 2_000);
      assertEquals(error, undefined, said(error));
      assert(await hasColumn(trial));
      assertEquals((await trial.journal()).applied.length, 2);
    }),
  ON,
);

databaseTest(
  "migrate() tells of no other's jobs, and of none of a data statement (simulated)",
  () => {
    const update = "UPDATE counters SET n = n + 1";
    const more = [{
      name: "900_add_a_column.sql",
      text: `${STATEMENT};\n${update};`,
    }];
    return withTrial({ strategy: "statements", more }, async (trial) => {
      const status = "running";
      const jobs: SimulatedJob[] = [
        { job_id: "1010", status },
        {
          job_id: "1011",
          status,
          description:
            "ALTER TABLE elsewhere.public.accounts ADD COLUMN extra INT8",
        },
        {
          job_id: "1012",
          status,
          description: `CREATE INDEX ON ${trial.database}.public.events (id)`,
        },
      ];
      const told: unknown[] = [];
      const { error } = await trial.behind("migrate", {
        onFrame: simulatedCockroach(
          () => jobs,
          ({ direction, text }) => {
            if (direction === "server" || text === undefined) return;
            const own = isSchemaChange(text)
              ? STATEMENT
              : text.includes(update)
              ? `BEGIN; ${update}`
              : undefined;
            return own && { rewrite: `SELECT pg_sleep(3); ${own}` };
          },
        ).onFrame,
        onEvent: (event) => {
          if (event.type !== "job-progress") return;
          told.push([event.statement, event.job]);
        },
      });
      assertEquals(error, undefined, said(error));
      assert(told.length > 0);
      assertEquals(told.filter((one) => String(one) !== "1,1010"), []);
    });
  },
  ON,
);

databaseTest(
  "migrate() that is cancelled cancels its jobs, and leaves a state to go on from (simulated)",
  () =>
    withTrial(OPTIONS, async (trial) => {
      const job: SimulatedJob = { job_id: "1004", status: "running" };
      const controller = new AbortController();
      const simulated = simulatedCockroach(
        () => {
          if (simulated.cancelled.length > 0) job.status = "canceled";
          return [job];
        },
        ({ direction, text }) => {
          if (direction !== "client" || !isSchemaChange(text)) return;
          setTimeout(() => controller.abort(new Error("enough")), 200);
          return { rewrite: "SELECT pg_sleep(60)" };
        },
      );
      const { error } = await trial.behind("migrate", {
        onFrame: simulated.onFrame,
      }, { cancelSignal: controller.signal });
      assertEquals(said(error), "enough");
      assertEquals(simulated.cancelled, ["CANCEL JOB 1004"]);
      assertEquals(await hasColumn(trial), false);
      const { progress, applied } = await trial.journal();
      assertEquals([progress?.intent, applied.length], [undefined, 1]);
      assertEquals(await trial.run("migrate"), 1);
    }),
  ON,
);

databaseTest(
  "migrate() tells of the job that a lost run has left, and can be left while it waits (simulated)",
  () =>
    withTrial(OPTIONS, async (trial) => {
      await loseAtSchemaChange(trial);
      const job: SimulatedJob = { job_id: "1005", status: "running" };
      const simulated = simulatedCockroach(() => [job]);
      const controller = new AbortController();
      const reason = new Error("enough");
      const { error } = await trial.behind("migrate", {
        onFrame: simulated.onFrame,
        onEvent: (event) => {
          if (event.type === "job-progress") controller.abort(reason);
        },
      }, { signal: controller.signal });
      assert(error instanceof Error);
      assertEquals(error.cause, reason);
      assertEquals(
        error.message,
        "Stopped at 900_add_a_column.sql:1:1: on the server statement 1 goes on (job 1005); " +
          "run the command again, it waits for the end and finds out what was done",
      );
      assertEquals(simulated.cancelled, []);
      const { intent } = (await trial.journal()).progress!;
      assertEquals([intent?.ordinal, intent?.hash], [
        0,
        statementHash(STATEMENT),
      ]);
      job.status = "failed";
      assertEquals(await trial.run("migrate"), 1);
    }),
  ON,
);

databaseTest(
  "migrate() doesn't wait for a job that is paused, and says how to go on (simulated)",
  () =>
    withTrial(OPTIONS, async (trial) => {
      await loseAtSchemaChange(trial);
      const job: SimulatedJob = { job_id: "1006", status: "paused" };
      const { onFrame, cancelled } = simulatedCockroach(() => [job]);
      const { error } = await trial.behind("migrate", { onFrame });
      assertEquals(
        said(error),
        "Stopped at 900_add_a_column.sql:1:1: on the server statement 1 is paused (job 1006); " +
          "end that with RESUME JOB 1006 or CANCEL JOB 1006, and run the command again, it finds out what was done",
      );
      assertEquals(cancelled, []);
      assertEquals((await trial.journal()).progress?.intent?.ordinal, 0);
      job.status = "failed";
      assertEquals(await trial.run("migrate"), 1);
    }),
  ON,
);

databaseTest(
  "migrate() says that a time limit has stopped it, though its job isn't at its end (simulated)",
  () => {
    const text =
      `UPDATE counters SET n = n + 1;\n-- @TIMEOUT 300ms\n${STATEMENT};`;
    const more = [{ name: "900_add_a_column.sql", text }];
    return withTrial({ strategy: "statements", more }, async (trial) => {
      const job: SimulatedJob = { job_id: "1007", status: "reverting" };
      const { onFrame, cancelled } = simulatedCockroach(
        () => [job],
        ({ direction, text }) =>
          direction === "client" && isSchemaChange(text)
            ? { rewrite: "SELECT pg_sleep(60)" }
            : undefined,
      );
      const { error } = await trial.behind("migrate", { onFrame });
      assertEquals(
        said(error),
        "Cannot apply 900_add_a_column.sql:3:1: It was cancelled after 300 ms, and job 1007 isn't at its end yet (SQLSTATE 57014)\n" +
          `  ${STATEMENT};\n  ^\n` +
          "Statement 1 is done and noted. Whether statement 2 of 2 took effect isn't known yet: run migrate again, it finds out by itself and goes on.",
      );
      assert(cancelled.includes("CANCEL JOB 1007"));
      job.status = "failed";
      assertEquals(await trial.run("migrate"), 1);
    });
  },
  { ...ON, ignore: notInFull },
);
