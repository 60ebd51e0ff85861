/**
 * Brings the jobs of a schema change to their end, or asks for it. CockroachDB goes on with them
 * whatever becomes of the session that began them, and v22.1 doesn't even hear a cancel request while
 * it waits for them.
 *
 * @module
 */

import { delay } from "../delay.ts";
import { DatabaseError, MigrationError } from "../errors.ts";
import { type Flight, UnknownOutcome } from "./flight.ts";
import { insist } from "./insist.ts";
import {
  cancelJobs,
  databaseTime,
  type Job,
  schemaJobs,
  waitForJobs,
} from "./jobs.ts";
import { jobsAbout, openJobs } from "./job_choice.ts";
import type { PlannedStatement } from "./planned.ts";
import { classify } from "./statement.ts";

const AGAIN_MS = 500;

/** Options of {@linkcode stoppable}. */
export interface StopOptions {
  /** The session's database; other databases' jobs are never touched. */
  readonly database?: string;
}

/**
 * Runs `fn`, which sends a schema change; where the run is cancelled meanwhile, or the statement's
 * time is up, its jobs are cancelled.
 *
 * @throws The reason of the cancellation, or a `DatabaseError` with SQLSTATE 57014 where the time was up.
 */
export async function stoppable<T>(
  { run }: Flight,
  { statement }: PlannedStatement,
  fn: () => Promise<T>,
  options: StopOptions = {},
): Promise<T> {
  if (run.kind === "postgresql") return await fn();
  const { timeoutMs } = statement.directives;
  const { effects = [] } = classify(statement.text, run);
  const start = performance.now();
  const over = new AbortController();
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= endJobs().catch(() => {});
  };
  // The jobs of a statement that was only just sent aren't there yet.
  const endJobs = async () => {
    while (!over.signal.aborted) {
      await run.lease.look(async (session) => {
        const since = await databaseTime(session, start);
        const jobs = await schemaJobs(session, since);
        const open = openJobs(jobs, { ...options, statement: statement.text });
        await cancelJobs(session, jobsAbout(open, effects));
      });
      await delay(AGAIN_MS, over.signal);
    }
  };
  run.cancel.addEventListener("abort", stop);
  const timer = timeoutMs === undefined
    ? undefined
    : setTimeout(stop, timeoutMs);
  try {
    return await fn();
  } catch (error) {
    if (stopping === undefined || run.session.broken) throw error;
    run.cancel.throwIfAborted();
    throw new DatabaseError({
      code: "57014",
      message: `It was cancelled after ${timeoutMs} ms`,
    }, { statement: statement.text, cause: error });
  } finally {
    clearTimeout(timer);
    run.cancel.removeEventListener("abort", stop);
    over.abort();
    await stopping;
  }
}

/** What is wished of a statement that was sent before: by this run, or by an earlier one (`resume`). */
export type Wish = "resume" | "wait" | "cancel";

/**
 * Jobs that were cancelled have this long to undo what they did; behind an open transaction they
 * can't. Where somebody waits for the run to end, it is shorter.
 */
const CANCEL_MS = 30_000;
const HURRY_MS = 2_000;

/** Options of {@linkcode jobsToEnd}. */
export interface JobsToEndOptions {
  /** When the statement was sent, by the database's clock. */
  readonly since: Date;
  /** What is wished of it. */
  readonly wish: Wish;
  /** What its answer was, where it had one. */
  readonly answer?: unknown;
}

/**
 * Waits for the jobs of a statement that was sent.
 *
 * @throws {UnknownOutcome} Where they go on, and the run is to stop; or where one is paused, and goes on
 * only when somebody resumes it.
 */
export async function jobsToEnd(
  flight: Flight,
  planned: PlannedStatement,
  options: JobsToEndOptions,
): Promise<void> {
  const { since, wish, answer } = options;
  const { session, lease, signal, cancel } = flight.run;
  const jobs = await schemaJobs(session, since);
  const { rows: [[database]] } = await insist(() =>
    session.query("SELECT current_database()")
  );
  // One that may be another statement's is waited for too, and never cancelled.
  const { text: statement } = planned.statement;
  const open = openJobs(jobs, { database: database ?? undefined, statement });
  const { effects = [] } = classify(statement, flight.run);
  const own = jobsAbout(open, effects);
  const paused = own.filter(({ status }) => /^paused?\b/.test(status));
  if (wish !== "cancel" && paused.length > 0) {
    throw new UnknownOutcome("a job is paused", {
      cause: pausedError(flight, planned, paused),
    });
  }
  const end = () => cancelJobs(session, own);
  if (wish === "cancel") await end();
  const enough = new AbortController();
  const stop = () => enough.abort();
  const isHurried = wish === "cancel" && cancel.aborted;
  const timer = wish === "cancel"
    ? setTimeout(stop, isHurried ? HURRY_MS : CANCEL_MS)
    : undefined;
  // An earlier run's statement isn't ours to settle first.
  const stops = [
    ...(isHurried ? [] : [cancel]),
    ...(wish === "resume" && signal !== undefined ? [signal] : []),
  ];
  for (const reason of stops) {
    if (reason.aborted) stop();
    else reason.addEventListener("abort", stop);
  }
  try {
    await waitForJobs(session, open, {
      signal: AbortSignal.any([lease.lost, enough.signal]),
    });
  } catch (error) {
    if (!enough.signal.aborted || lease.lost.aborted) throw error;
    if (wish === "wait") {
      return await jobsToEnd(flight, planned, { ...options, wish: "cancel" });
    }
    if (cancel.aborted) await end();
    throw new UnknownOutcome("a job goes on", {
      cause: unendedError(flight, planned, { jobs: open, answer }),
    });
  } finally {
    clearTimeout(timer);
    for (const reason of stops) reason.removeEventListener("abort", stop);
  }
}

/** What is said where jobs go on: why the run stops, and what it found. */
function unendedError(
  flight: Flight,
  planned: PlannedStatement,
  { jobs, answer }: { jobs: readonly Job[]; answer?: unknown },
): MigrationError | DatabaseError {
  const { signal, cancel } = flight.run;
  const isWished = cancel.aborted || signal?.aborted;
  if (!isWished && answer instanceof DatabaseError) {
    const { message, statement, notices } = answer;
    const still = `${message}, and ${idsOf(jobs)} isn't at its end yet`;
    return new DatabaseError({ ...answer, message: still }, {
      ...{ statement, notices, cause: answer },
    });
  }
  return stoppedError(flight, planned, {
    what: `goes on (${idsOf(jobs)})`,
    remedy:
      "run the command again, it waits for the end and finds out what was done",
    cause: cancel.aborted ? cancel.reason : signal?.reason,
  });
}

function pausedError(
  flight: Flight,
  planned: PlannedStatement,
  jobs: readonly Job[],
): MigrationError {
  const [{ id }] = jobs;
  return stoppedError(flight, planned, {
    what: `is paused (${idsOf(jobs)})`,
    remedy: `end that with RESUME JOB ${id} or CANCEL JOB ${id}, ` +
      "and run the command again, it finds out what was done",
  });
}

function idsOf(jobs: readonly Job[]): string {
  return `job ${jobs.map(({ id }) => id).join(", ")}`;
}

function stoppedError(
  { migration }: Flight,
  { statement, number }: PlannedStatement,
  { what, remedy, cause }: { what: string; remedy: string; cause?: unknown },
): MigrationError {
  const { path } = migration.file;
  const { line, column } = statement;
  return new MigrationError(
    `Stopped at ${path}:${line}:${column}: on the server statement ${number} ${what}; ${remedy}`,
    { version: migration.version, file: path, line, column, cause },
  );
}
