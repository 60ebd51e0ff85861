/**
 * The lease's row: how it is taken or refused in one statement, waited for, and freed of a runner
 * that is gone.
 *
 * @module
 */

import { decodeRows } from "../database/values.ts";
import { delay } from "../delay.ts";
import type { Session } from "../driver/driver.ts";
import { LockTimeoutError } from "../errors.ts";
import type { MigrationEvent } from "./events.ts";
import { insist } from "./insist.ts";
import { type JournalTables, writingFailure } from "./journal.ts";
import { endSession, isAlive, type ServerKind, sessionName } from "./server.ts";

/** How a lease is taken and kept. */
export interface LeaseOptions {
  /** How long the lease lasts without a heartbeat, in milliseconds. */
  readonly leaseMs: number;
  /** How long to wait for it, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** Who takes it, for messages: user, host, process. */
  readonly holder: string;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Is told whom the runner waits for. */
  readonly onEvent?: (event: MigrationEvent) => void;
  /** Ends the waiting without the lease, where it has become needless. */
  readonly isNeedless?: () => Promise<boolean>;
}

/** What belongs to a lease that is held. */
export interface LeaseHost {
  /** Opens a session for the heartbeat. */
  open(): Promise<Session>;
  /** The journal's tables. */
  readonly tables: JournalTables;
  /** What the server is. */
  readonly kind: ServerKind;
}

interface Row {
  readonly holder: string;
  readonly since: Date;
  readonly isExpired: boolean;
  readonly isOwn: boolean;
  readonly session: string;
  readonly mainSession: string;
}

/** Beyond the lease's end, for clocks of nodes may differ by up to 500 ms. */
export const MARGIN_MS = 1_000;
/** Between two looks of one that waits: what it waits for is to be known within 200 ms. */
const MIN_POLL_MS = 40;
const MAX_POLL_MS = 100;
const LIVENESS_MS = 500;
const MAX_LIVENESS_MS = 5_000;
const TELL_MS = 1_000;
const EVICTION_MS = 5_000;

/** Takes the lease or waits for it, and returns its fence; `undefined` where it has become needless. */
export async function waitForFence(
  session: Session,
  host: LeaseHost,
  options: LeaseOptions,
): Promise<string | undefined> {
  const { lockTimeoutMs, signal, onEvent, isNeedless } = options;
  const start = performance.now();
  let checkEveryMs = LIVENESS_MS * (0.5 + Math.random());
  let checkAt = start + checkEveryMs;
  let toldAt = -Infinity;
  let fence = await tryToTake(session, host, options);
  while (fence === undefined) {
    signal?.throwIfAborted();
    const row = await readLease(session, host);
    const now = performance.now();
    let gone: string | undefined;
    if (row && !row.isExpired && row.isOwn && now > checkAt) {
      // Listing sessions is dear, and many may wait: each asks less and less often.
      checkEveryMs = Math.min(2 * checkEveryMs, MAX_LIVENESS_MS);
      checkAt = now + checkEveryMs;
      const isThere = await isAlive(session, host.kind, row.session);
      if (!isThere) gone = row.session;
    }
    if (row === undefined || row.isExpired || gone !== undefined) {
      // Whoever held it may have done all that was to do.
      if (await isNeedless?.()) return undefined;
      if (row?.isOwn) await evict(session, host, row);
      fence = await tryToTake(session, host, options, gone);
      continue;
    }
    const { holder, since } = row;
    if (now - start > lockTimeoutMs) {
      throw new LockTimeoutError(
        `Cannot get the lease of ${host.tables.applied} within ${
          Math.round(lockTimeoutMs)
        } ms: ${holder} ` +
          `holds it since ${since.toISOString()}; wait for it, raise the lock timeout, ` +
          "or run unlock if that runner is gone",
      );
    }
    if (now - toldAt > TELL_MS) {
      toldAt = now;
      onEvent?.({
        type: "lease-waiting",
        holder: { holder, since },
        waitedMs: now - start,
      });
    }
    const pollMs = MIN_POLL_MS + Math.random() * (MAX_POLL_MS - MIN_POLL_MS);
    await delay(pollMs, signal);
  }
  return fence;
}

/** Takes the lease where it is free, has run out, or belongs to a session that is known to be gone. */
async function tryToTake(
  session: Session,
  { tables, kind }: LeaseHost,
  { leaseMs, holder }: LeaseOptions,
  gone = "",
): Promise<string | undefined> {
  const { rows } = await insist(() =>
    session.query(
      `WITH taken AS (INSERT INTO ${tables.lease} AS l ` +
        "(id, fence, holder, username, session, main_session, acquired_at, expires_at) " +
        `VALUES (1, 1, $1, current_user, ${sessionName(kind)}, NULL, now(), ` +
        `now() + ${
          milliseconds(leaseMs)
        }) ON CONFLICT (id) DO UPDATE SET fence = l.fence + 1, ` +
        "holder = excluded.holder, username = excluded.username, session = excluded.session, " +
        "main_session = excluded.main_session, acquired_at = excluded.acquired_at, " +
        "expires_at = excluded.expires_at " +
        `WHERE l.expires_at < now() - ${
          milliseconds(MARGIN_MS)
        } OR l.session = $2 RETURNING fence) ` +
        `UPDATE ${tables.journal} SET fence = taken.fence FROM taken ` +
        `WHERE ${tables.journal}.id = 1 RETURNING taken.fence`,
      [holder, gone],
    )
  ).catch((error) => {
    throw writingFailure(error);
  });
  return rows[0]?.[0] ?? undefined;
}

async function readLease(
  session: Session,
  { tables }: LeaseHost,
): Promise<Row | undefined> {
  const { columns, rows } = await insist(() =>
    session.query(
      "SELECT COALESCE(holder, 'somebody') AS holder, acquired_at AS since, " +
        `expires_at < now() - ${milliseconds(MARGIN_MS)} AS "isExpired", ` +
        `username = current_user AS "isOwn", COALESCE(session, '') AS session, ` +
        `COALESCE(main_session, '') AS "mainSession" FROM ${tables.lease} WHERE id = 1`,
    )
  );
  return decodeRows(columns, rows, {
    int8: "auto",
    timestamps: "date",
  })[0] as unknown as Row | undefined;
}

/**
 * Ends the sessions of a runner that is gone or has overslept its lease, so that neither its locks
 * nor a statement in flight outlive it.
 */
async function evict(
  session: Session,
  { kind }: LeaseHost,
  row: Row,
): Promise<void> {
  for (const name of [row.mainSession, row.session]) {
    if (name === "") continue;
    try {
      await endSession(session, kind, name);
      const start = performance.now();
      while (
        await isAlive(session, kind, name) &&
        performance.now() - start < EVICTION_MS
      ) {
        await delay(MAX_POLL_MS);
      }
    } catch {
      // Not being allowed to is no reason to stop: the fence keeps that runner from writing anyway.
    }
  }
}

/** An interval in SQL. */
export function milliseconds(ms: number): string {
  return `${Math.round(ms)} * INTERVAL '1 millisecond'`;
}
