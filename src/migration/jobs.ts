/**
 * What goes on behind a schema change: the jobs that CockroachDB runs for it.
 *
 * `SHOW` is asked for everything that it tells, for newer versions deny `crdb_internal`, and columns
 * are taken by name where they are, for versions differ in them.
 *
 * @module
 */

import { delay } from "../delay.ts";
import type { Session } from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";
import { asText, readRows, type ServerRow } from "./insist.ts";
import { serverKind } from "./server.ts";

/** A job of a schema change. */
export interface Job {
  /** The job's id, a number of up to 19 digits. */
  readonly id: string;
  /** What it is, such as `SCHEMA CHANGE`. */
  readonly type: string;
  /** The statement; newer versions cut it short. */
  readonly description: string;
  /** Its state, such as `running` or `succeeded`. */
  readonly status: string;
  /** What it does just now; empty where the server doesn't say. */
  readonly runningStatus: string;
  /** How far it is, from 0 to 1; it may stand still while the job goes on. */
  readonly fraction: number;
  /** Why it failed; else empty. */
  readonly error: string;
  /** When it was made, by the database's clock. */
  readonly created: Date;
}

/** Options of {@linkcode waitForJobs}. */
export interface WaitOptions {
  /** Ends the waiting; the jobs go on. */
  readonly signal?: AbortSignal;
  /**
   * Is told of the jobs that aren't over, after each look. One that is `paused` goes on only when
   * somebody resumes it.
   */
  readonly onProgress?: (jobs: readonly Job[]) => void;
  /** How long to pause between two looks, in milliseconds. Default: 250. */
  readonly pollMs?: number;
}

const FINAL_STATES = ["succeeded", "failed", "canceled", "revert-failed"];

/** Whether a job has come to its end. */
export function isFinal({ status }: Pick<Job, "status">): boolean {
  return FINAL_STATES.includes(status);
}

function asJob(row: ServerRow): Job {
  return {
    id: asText(row.job_id),
    type: asText(row.job_type),
    description: asText(row.description),
    status: asText(row.status),
    runningStatus: asText(row.running_status),
    fraction: Number(row.fraction_completed ?? 0),
    error: asText(row.error),
    created: row.created as Date,
  };
}

async function readJobs(session: Session, condition: string): Promise<Job[]> {
  const rows = await readRows(
    session,
    `WITH j AS (SHOW JOBS) SELECT * FROM j WHERE ${condition} ORDER BY created`,
  );
  return rows.map(asJob);
}

/**
 * Lists the current user's schema changes since a time, oldest first. Jobs that only collect what a
 * schema change has left behind aren't among them: they go on for hours.
 *
 * @param session A session that isn't busy with the schema change itself.
 * @param since The time by the database's clock; jobs of the second before it are listed too.
 * @returns The jobs; none on PostgreSQL, which has no jobs.
 */
export async function schemaJobs(
  session: Session,
  since: Date,
): Promise<Job[]> {
  if (serverKind(session) === "postgresql") return [];
  const epoch = since.getTime() / 1_000 - 1;
  const jobs = await readJobs(
    session,
    "user_name = current_user AND job_type LIKE '%SCHEMA CHANGE' " +
      `AND extract(epoch FROM created) >= ${epoch}`,
  );
  return jobs.filter(({ runningStatus }) =>
    !/^waiting for .*GC/.test(runningStatus)
  );
}

/**
 * Waits until jobs are over, as long as that takes.
 *
 * @returns The jobs in their final state, without those that the server has forgotten.
 * @throws The signal's reason, where it fires.
 */
export async function waitForJobs(
  session: Session,
  jobs: readonly Job[],
  options: WaitOptions = {},
): Promise<Job[]> {
  const { signal, onProgress, pollMs = 250 } = options;
  if (jobs.length === 0) return [];
  const ids = jobs.map(({ id }) => id).join(", ");
  for (;;) {
    signal?.throwIfAborted();
    const found = await readJobs(session, `job_id IN (${ids})`);
    const open = found.filter((job) => !isFinal(job));
    if (open.length === 0) return found;
    onProgress?.(open);
    await delay(pollMs, signal);
  }
}

/**
 * Asks for the end of jobs. It doesn't wait for it, and passes over jobs that can't be cancelled, or
 * not by this user.
 *
 * @throws {DatabaseError} Where the connection is lost.
 */
export async function cancelJobs(
  session: Session,
  jobs: readonly Job[],
): Promise<void> {
  for (const { id } of jobs) {
    try {
      await session.query(`CANCEL JOB ${id}`);
    } catch (error) {
      if (session.broken || !(error instanceof DatabaseError)) throw error;
    }
  }
}

/** When something was, by the database's clock: the client's may be anything. */
export async function databaseTime(
  session: Session,
  start: number,
): Promise<Date> {
  const { rows } = await session.query(
    "SELECT (extract(epoch FROM now()) * 1000)::INT8",
  );
  return new Date(Number(rows[0][0]) - (performance.now() - start));
}
