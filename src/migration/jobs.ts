/**
 * What goes on behind a schema change: the jobs that CockroachDB runs for it, and the sessions that
 * it waits for.
 *
 * `SHOW` is asked for everything that it tells, for newer versions deny `crdb_internal`, and columns
 * are taken by name where they are, for versions differ in them.
 *
 * @module
 */

import { delay } from "../delay.ts";
import { decodeRows } from "../database/values.ts";
import type { Session } from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";
import { quoteLiteral } from "../sql.ts";
import type { Blocker } from "./events.ts";
import { insist } from "./insist.ts";
import { type ServerKind, serverKind } from "./server.ts";

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

type Row = Readonly<Record<string, unknown>>;

const FINAL_STATES = ["succeeded", "failed", "canceled", "revert-failed"];

/** Whether a job has come to its end. */
export function isFinal({ status }: Pick<Job, "status">): boolean {
  return FINAL_STATES.includes(status);
}

async function read(session: Session, text: string): Promise<Row[]> {
  const { columns, rows } = await insist(() => session.query(text));
  return decodeRows(columns, rows, { int8: "string", timestamps: "date" });
}

function asText(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

function asJob(row: Row): Job {
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
  const rows = await read(
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

/**
 * Names the sessions that a schema change waits for. PostgreSQL knows them. CockroachDB's schema
 * changes wait for every transaction that has read the table, and it doesn't say which have: there
 * it is every other session that is seen with a transaction open for a second or more, or that may
 * have one where the user may not see transactions.
 *
 * @param session The session to ask on; it is never named, nor is the main one.
 * @param kind What the server is.
 * @param mainSession The session that runs the schema change, by the name that `sessionName()` gives.
 * @returns The sessions, the longest open first.
 */
export async function blockersOf(
  session: Session,
  kind: ServerKind,
  mainSession: string,
): Promise<Blocker[]> {
  const rows = kind === "postgresql"
    ? await blockingSessions(session, mainSession)
    : await openSessions(session, mainSession);
  const isCertain = kind === "postgresql";
  return rows.map((row) => asBlocker(row, isCertain))
    .sort((a, b) => a.since.getTime() - b.since.getTime());
}

const QUERY_LENGTH = 100;

function asBlocker(row: Row, isCertain: boolean): Blocker {
  return {
    isCertain,
    session: asText(row.session_id),
    application: asText(row.application_name),
    since: row.since as Date,
    query: asText(row.active_queries || row.last_active_query)
      .slice(0, QUERY_LENGTH),
  };
}

function blockingSessions(session: Session, mainSession: string) {
  return read(
    session,
    "SELECT b.pid AS session_id, b.application_name, b.query AS active_queries, " +
      "COALESCE(b.xact_start, b.backend_start, now()) AS since " +
      "FROM pg_catalog.pg_stat_activity m " +
      "JOIN pg_catalog.pg_stat_activity b ON b.pid = ANY(pg_blocking_pids(m.pid)) " +
      `WHERE m.pid || '/' || extract(epoch FROM m.backend_start) = ${
        quoteLiteral(mainSession)
      } AND b.pid NOT IN (m.pid, pg_backend_pid())`,
  );
}

async function openSessions(
  session: Session,
  mainSession: string,
): Promise<Row[]> {
  const rows = await read(
    session,
    "WITH s AS (SHOW SESSIONS) SELECT *, now() AS asked_at FROM s " +
      `WHERE session_id NOT IN (${quoteLiteral(mainSession)}, ` +
      "current_setting('session_id'))",
  );
  if (rows.length === 0) return [];
  // A session is active while it has a transaction open:
  // https://www.cockroachlabs.com/docs/stable/ui-sessions-page
  if ("status" in rows[0]) {
    return rows.filter(({ status }) => status === "ACTIVE")
      .map((row) => ({ ...row, since: row.session_start }))
      .filter(isOld);
  }
  const starts = await transactionStarts(session);
  return rows
    .filter((row) => starts?.has(row.session_id) ?? mayBeOpen(row))
    .map((row) => ({
      ...row,
      since: starts?.get(row.session_id) ?? row.session_start,
    }))
    .filter(isOld);
}

/**
 * When the open transactions began, by session, for versions whose SHOW SESSIONS has no status;
 * `undefined` where the user may not see them, for only those with the admin role may.
 */
async function transactionStarts(
  session: Session,
): Promise<Map<unknown, unknown> | undefined> {
  try {
    const rows = await read(
      session,
      "SELECT session_id, start FROM crdb_internal.cluster_transactions",
    );
    return new Map(rows.map(({ session_id, start }) => [session_id, start]));
  } catch (error) {
    if (session.broken) throw error;
    return undefined;
  }
}

/** What a session did last that has no transaction open, or is a runner that waits for its turn. */
const HARMLESS = /^$|^(?:COMMIT|ROLLBACK)\b|_(?:lease|journal)\b/i;

/** Whether a session may have a transaction open, by what it does or did last. */
function mayBeOpen({ active_queries, last_active_query }: Row): boolean {
  return !HARMLESS.test(asText(active_queries || last_active_query));
}

/** Whether what a session does, or has open, is more than a statement in passing. */
function isOld(row: Row): boolean {
  const start = (row.active_query_start ?? row.since) as Date;
  return (row.asked_at as Date).getTime() - start.getTime() >= 1_000;
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
