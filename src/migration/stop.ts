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

/**
 * Waits for the jobs of a statement that was sent.
 *
 * @param options `since`: when, by the database's clock.
 * @throws {UnknownOutcome} Where they go on, and the run is to stop.
 */
export async function jobsToEnd(
  flight: Flight,
  planned: PlannedStatement,
  options: { since: Date; wish: Wish },
): Promise<void> {
  const { since, wish } = options;
  const { session, lease, signal, cancel } = flight.run;
  const jobs = await schemaJobs(session, since);
  const { rows: [[database]] } = await insist(() =>
    session.query("SELECT current_database()")
  );
  // One that may be another statement's is waited for too, and never cancelled.
  const { text: statement } = planned.statement;
  const open = openJobs(jobs, { database: database ?? undefined, statement });
  const { effects = [] } = classify(statement, flight.run);
  const end = () => cancelJobs(session, jobsAbout(open, effects));
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
      return await jobsToEnd(flight, planned, { since, wish: "cancel" });
    }
    if (cancel.aborted) await end();
    throw new UnknownOutcome("a job goes on", {
      cause: goOn(flight, planned, open),
    });
  } finally {
    clearTimeout(timer);
    for (const reason of stops) reason.removeEventListener("abort", stop);
  }
}

function goOn(
  { run, migration }: Flight,
  { statement, number }: PlannedStatement,
  jobs: readonly Job[],
): MigrationError {
  const { signal, cancel } = run;
  const cause = cancel.aborted ? cancel.reason : signal?.reason;
  const { path } = migration.file;
  const { line, column } = statement;
  const ids = jobs.map(({ id }) => id).join(", ");
  return new MigrationError(
    `Stopped at ${path}:${line}:${column}: on the server statement ${number} goes on (job ${ids}); ` +
      "run the command again, it waits for the end and finds out what was done",
    { version: migration.version, file: path, line, column, cause },
  );
}
