/**
 * The lease: one runner at a time, judged by the database's clock.
 *
 * CockroachDB's advisory locks are stubs and it has no LOCK TABLE, so the lease is a row, taken or
 * refused by one statement. Each taking raises the fence, in the lease and in the journal at once:
 * from then on no earlier runner can write the journal, whatever it believes. A heartbeat on a
 * session of its own keeps the lease; where that session is gone, so is the runner, and the next one
 * needn't wait for the lease to run out.
 *
 * @module
 */

import { decodeRows } from "../database/values.ts";
import type { Session } from "../driver/driver.ts";
import { LockTimeoutError, MigrationError } from "../errors.ts";
import type { MigrationEvent } from "./events.ts";
import type { JournalTables } from "./journal.ts";
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
const MARGIN_MS = 1_000;
const POLL_MS = 120;
const LIVENESS_MS = 500;
const MAX_LIVENESS_MS = 5_000;
const TELL_MS = 1_000;
const EVICTION_MS = 5_000;

/** A lease that is held. */
export class Lease {
  /** The fence: no earlier lease has one as high. */
  readonly fence: string;
  readonly #host: LeaseHost;
  readonly #options: LeaseOptions;
  readonly #lost = new AbortController();
  #session: Session | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #beating: Promise<void> = Promise.resolve();
  #beatenAt = performance.now();
  #isReleased = false;

  private constructor(host: LeaseHost, options: LeaseOptions, fence: string) {
    this.#host = host;
    this.#options = options;
    this.fence = fence;
    this.#schedule(0);
  }

  /**
   * Takes the lease, or waits for it.
   *
   * @param session The session to ask on; the heartbeat opens one of its own once the lease is held.
   * @returns The lease; `undefined` where it has become needless.
   * @throws {LockTimeoutError} Where somebody else held it all the time.
   */
  static async take(
    session: Session,
    host: LeaseHost,
    options: LeaseOptions,
  ): Promise<Lease | undefined> {
    const fence = await waitForFence(session, host, options);
    if (fence === undefined) return undefined;
    options.onEvent?.({ type: "lease-acquired", fence });
    return new Lease(host, options, fence);
  }

  /** Fires when the lease is lost. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** The heartbeat's session, for looking on while a statement runs on the other. */
  async look<T>(fn: (session: Session) => Promise<T>): Promise<T> {
    const turn = this.#beating.then(async () => {
      if (!this.#session || this.#session.broken) {
        this.#session = await this.#host.open();
      }
      return await fn(this.#session);
    });
    this.#beating = turn.then(() => {}, () => {});
    return await turn;
  }

  /**
   * Makes sure that the lease is held, and asks where the last heartbeat is too long ago, as after
   * a pause of the whole process.
   *
   * @throws {MigrationError} Where it is lost.
   */
  async assure(): Promise<void> {
    if (performance.now() - this.#beatenAt > this.#options.leaseMs / 2) {
      await this.#beat();
    }
    this.#lost.signal.throwIfAborted();
  }

  /** Gives the lease up, so that the next runner needn't wait; never rejects. */
  async release(): Promise<void> {
    this.#isReleased = true;
    clearTimeout(this.#timer);
    const { tables } = this.#host;
    try {
      await this.look((session) =>
        session.query(
          `UPDATE ${tables.lease} SET expires_at = '1970-01-01', session = NULL, main_session = NULL ` +
            "WHERE id = 1 AND fence = $1",
          [this.fence],
          { timeoutMs: 5_000 },
        )
      );
      this.#options.onEvent?.({ type: "lease-released" });
    } catch {
      // The next runner finds our session gone, and takes the lease without it.
    }
    await this.#session?.close();
  }

  #schedule(delayMs = this.#options.leaseMs / 3): void {
    this.#timer = setTimeout(() => {
      this.#beat().then(() => {
        if (!this.#lost.signal.aborted && !this.#isReleased) this.#schedule();
      });
    }, delayMs);
  }

  async #beat(): Promise<void> {
    const { leaseMs } = this.#options;
    const { tables, kind } = this.#host;
    const sentAt = performance.now();
    try {
      await this.look(async (session) => {
        const { rowCount } = await session.query(
          `UPDATE ${tables.lease} SET expires_at = now() + ${
            milliseconds(leaseMs)
          }, ` +
            `session = ${sessionName(kind)} WHERE id = 1 AND fence = $1`,
          [this.fence],
          { timeoutMs: leaseMs / 2 },
        );
        if (rowCount === 0) {
          throw new MigrationError("another runner has taken it");
        }
        this.#beatenAt = sentAt;
      });
    } catch (error) {
      const isTaken = error instanceof MigrationError;
      const isOver = performance.now() - this.#beatenAt > leaseMs - MARGIN_MS;
      if (!isTaken && !isOver) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#lost.abort(
        new MigrationError(
          `Cannot go on with the migrations: the lease is lost (${reason}); run the command again, it finds out what is done`,
          { cause: error },
        ),
      );
    }
  }
}

/** Ends a lease whoever holds it, and says who that was; `undefined` where nobody did. */
export async function breakLease(
  session: Session,
  tables: JournalTables,
): Promise<string | undefined> {
  // Raising the fences keeps the holder from writing, wherever it is.
  const { rows } = await session.query(
    `WITH broken AS (UPDATE ${tables.lease} SET fence = fence + 1, expires_at = '1970-01-01' ` +
      "WHERE id = 1 AND expires_at > now() RETURNING fence, holder) " +
      `UPDATE ${tables.journal} SET fence = broken.fence FROM broken ` +
      `WHERE ${tables.journal}.id = 1 RETURNING broken.holder`,
  );
  return rows[0]?.[0] ?? undefined;
}

async function waitForFence(
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
        `Cannot get the lease of ${host.tables.applied} within ${lockTimeoutMs} ms: ${holder} ` +
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
    await pause(POLL_MS * (0.5 + Math.random()), signal);
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
  const { rows } = await session.query(
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
  );
  return rows[0]?.[0] ?? undefined;
}

async function readLease(
  session: Session,
  { tables }: LeaseHost,
): Promise<Row | undefined> {
  const { columns, rows } = await session.query(
    "SELECT COALESCE(holder, 'somebody') AS holder, acquired_at AS since, " +
      `expires_at < now() - ${milliseconds(MARGIN_MS)} AS "isExpired", ` +
      `username = current_user AS "isOwn", COALESCE(session, '') AS session, ` +
      `COALESCE(main_session, '') AS "mainSession" FROM ${tables.lease} WHERE id = 1`,
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
        await pause(POLL_MS);
      }
    } catch {
      // Not being allowed to is no reason to stop: the fence keeps that runner from writing anyway.
    }
  }
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)} * INTERVAL '1 millisecond'`;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
