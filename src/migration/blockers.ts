/**
 * The sessions that a statement waits for.
 *
 * @module
 */

import { redact } from "../driver/shown.ts";
import type { Session } from "../driver/driver.ts";
import { quoteLiteral } from "../sql.ts";
import type { Blocker } from "./events.ts";
import { asText, readRows, type ServerRow } from "./insist.ts";
import type { ServerKind } from "./server.ts";

/** Who waits: a session, by the name that `sessionName()` gives, or those whose statements name a table. */
export type Waiting =
  | { readonly session: string }
  | { readonly naming: string };

/**
 * Names the sessions that a statement waits for. PostgreSQL knows them. CockroachDB's schema
 * changes wait for every transaction that has read the table, and it doesn't say which have: there
 * it is every other session that is seen with a transaction open for a second or more, or that may
 * have one where the user may not see transactions.
 *
 * @param session The session to ask on; it is never named, nor is one that waits.
 * @param kind What the server is.
 * @param waiting Who waits.
 * @returns The sessions, the longest open first.
 */
export async function blockersOf(
  session: Session,
  kind: ServerKind,
  waiting: Waiting,
): Promise<Blocker[]> {
  const rows = kind === "postgresql"
    ? await blockingSessions(session, waiting)
    : await openSessions(session, waiting);
  const isCertain = kind === "postgresql";
  return rows.map((row) => asBlocker(row, isCertain))
    .sort((a, b) => a.since.getTime() - b.since.getTime());
}

const QUERY_LENGTH = 100;
/** It is asked every second, and to look through a long text takes its time. */
const LOOKED_AT = 2_000;

function asBlocker(row: ServerRow, isCertain: boolean): Blocker {
  return {
    isCertain,
    session: asText(row.session_id),
    application: asText(row.application_name),
    since: row.since as Date,
    // Behind the cut a password couldn't be told any more.
    query: redact(
      asText(row.active_queries || row.last_active_query).slice(0, LOOKED_AT),
    ).slice(0, QUERY_LENGTH),
  };
}

function blockingSessions(session: Session, waiting: Waiting) {
  const isWaiting = "session" in waiting
    ? `m.pid || '/' || extract(epoch FROM m.backend_start) = ${
      quoteLiteral(waiting.session)
    }`
    // Others of its kind stand in line with it.
    : `strpos(m.query, ${quoteLiteral(waiting.naming)}) > 0 ` +
      "AND cardinality(pg_blocking_pids(b.pid)) = 0";
  return readRows(
    session,
    "SELECT DISTINCT b.pid AS session_id, b.application_name, b.query AS active_queries, " +
      "COALESCE(b.xact_start, b.backend_start, now()) AS since " +
      "FROM pg_catalog.pg_stat_activity m " +
      "JOIN pg_catalog.pg_stat_activity b ON b.pid = ANY(pg_blocking_pids(m.pid)) " +
      `WHERE ${isWaiting} AND b.pid NOT IN (m.pid, pg_backend_pid())`,
  );
}

async function openSessions(
  session: Session,
  waiting: Waiting,
): Promise<ServerRow[]> {
  const main = "session" in waiting ? waiting.session : "";
  const all = await readRows(
    session,
    "WITH s AS (SHOW SESSIONS) SELECT *, now() AS asked_at FROM s " +
      `WHERE session_id NOT IN (${quoteLiteral(main)}, ` +
      "current_setting('session_id'))",
  );
  const rows = "session" in waiting
    ? all
    : all.filter((row) => !asText(row.active_queries).includes(waiting.naming));
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
    const rows = await readRows(
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
function mayBeOpen({ active_queries, last_active_query }: ServerRow): boolean {
  return !HARMLESS.test(asText(active_queries || last_active_query));
}

/** Whether what a session does, or has open, is more than a statement in passing. */
function isOld(row: ServerRow): boolean {
  const start = (row.active_query_start ?? row.since) as Date;
  return (row.asked_at as Date).getTime() - start.getTime() >= 1_000;
}
