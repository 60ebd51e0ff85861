/**
 * Looks on while a statement runs: from the third second on, whom it waits for and how far its jobs
 * are, asked on the heartbeat's session.
 *
 * @module
 */

import type { Session } from "../driver/driver.ts";
import { type Flight, placeOf, send, type SendOptions } from "./flight.ts";
import { blockersOf } from "./blockers.ts";
import { databaseTime, type Job, schemaJobs } from "./jobs.ts";
import type { PlannedStatement } from "./planned.ts";
import { classify } from "./statement.ts";
import { jobsAbout, openJobs } from "./job_choice.ts";

const QUIET_MS = 2_000;
const POLL_MS = 1_000;

/** Options of {@linkcode watched}. */
export interface WatchOptions {
  /** From when on jobs count, by the database's clock. Default: now. */
  readonly since?: Date;
  /** When the statement was begun, by `performance.now()`. Default: now. */
  readonly start?: number;
}

/** Runs `fn`, and says what it waits for when it takes longer than two seconds. */
export async function watched<T>(
  flight: Flight,
  planned: PlannedStatement,
  fn: () => Promise<T>,
  options: WatchOptions = {},
): Promise<T> {
  const { start = performance.now() } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const look = async () => {
    // Looking on is no reason to fail.
    const told = { ...options, start, isOver: () => isOver };
    await tell(flight, planned, told).catch(() => {});
    if (!isOver) timer = setTimeout(look, POLL_MS);
  };
  timer = setTimeout(look, QUIET_MS);
  try {
    return await fn();
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}

/** Sends a statement, between two events. */
export async function sendAndTell(
  flight: Flight,
  planned: PlannedStatement,
  options?: SendOptions,
): Promise<void> {
  const place = placeOf(flight, planned);
  const start = performance.now();
  flight.run.emit({
    type: "statement-started",
    text: planned.statement.text,
    ...place,
  });
  await watched(flight, planned, () => send(flight, planned, options));
  const durationMs = performance.now() - start;
  flight.run.emit({ type: "statement-finished", durationMs, ...place });
}

async function tell(
  flight: Flight,
  planned: PlannedStatement,
  { since, start, isOver }: WatchOptions & {
    start: number;
    isOver: () => boolean;
  },
): Promise<void> {
  const { run } = flight;
  const place = placeOf(flight, planned);
  await run.lease.look(async (session) => {
    const jobs = await ownJobs(flight, planned, {
      session,
      since: since ?? await databaseTime(session, start),
    });
    if (isOver()) return;
    for (const { id: job, status, runningStatus, fraction } of jobs) {
      const elapsedMs = performance.now() - start;
      run.emit({
        type: "job-progress",
        job,
        status,
        runningStatus,
        fraction,
        elapsedMs,
        ...place,
      });
    }
    const blockers = await blockersOf(session, run.kind, {
      session: run.mainSession,
    });
    if (isOver() || blockers.length === 0) return;
    const elapsedMs = performance.now() - start;
    run.emit({ type: "statement-waiting", blockers, elapsedMs, ...place });
  });
}

/** The jobs that can be the statement's: others' are none of its progress. */
async function ownJobs(
  { run }: Flight,
  { statement, kind }: PlannedStatement,
  { session, since }: { session: Session; since: Date },
): Promise<Job[]> {
  if (kind !== "ddl" && kind !== "utility") return [];
  const jobs = await schemaJobs(session, since);
  if (jobs.length === 0) return [];
  const database = run.database ??
    (await session.query("SELECT current_database()")).rows[0][0] ?? undefined;
  const open = openJobs(jobs, { database, statement: statement.text });
  const { effects = [] } = classify(statement.text);
  return effects.length === 0 ? open : jobsAbout(open, effects);
}
