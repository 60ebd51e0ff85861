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

import { LentSession } from "../database/lent_session.ts";
import type { Session } from "../driver/driver.ts";
import { DatabaseError, LeaseLostError } from "../errors.ts";
import { insist } from "./insist.ts";
import { type JournalTables, writingFailure } from "./journal.ts";
import {
  type LeaseHost,
  type LeaseOptions,
  MARGIN_MS,
  milliseconds,
  waitForFence,
} from "./lease_row.ts";
import { sessionName } from "./server.ts";

/** A look that takes longer would keep the heartbeat. */
const MAX_LOOK_MS = 5_000;
/** One that comes late, as after a pause of the whole process, has this long to succeed. */
const GRACE_MS = 1_000;

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
  #beatenAt!: number;
  #judging: ReturnType<typeof setTimeout> | undefined;
  #isReleased = false;
  #isClosed = false;

  private constructor(host: LeaseHost, options: LeaseOptions, fence: string) {
    this.#host = host;
    this.#options = options;
    this.fence = fence;
    this.#beaten(performance.now());
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

  /** The heartbeat's session, for looking on for some seconds while a statement runs on the other. */
  async look<T>(fn: (session: Session) => Promise<T>): Promise<T> {
    const turn = this.#beating.then(async () => {
      if (!this.#session || this.#session.broken) {
        this.#session = await this.#open();
      }
      const timeoutMs = Math.min(this.#options.leaseMs / 3, MAX_LOOK_MS);
      return await fn(new LentSession(this.#session, { timeoutMs }));
    });
    this.#beating = turn.then(() => {}, () => {});
    return await turn;
  }

  async #open(): Promise<Session> {
    const session = await this.#host.open();
    // Whoever was to close it didn't wait for it.
    if (this.#isClosed) await session.close();
    return session;
  }

  /**
   * Makes sure that the lease is held, and asks where the last heartbeat is too long ago, as after
   * a pause of the whole process.
   *
   * @throws {LeaseLostError} Where it is lost.
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
    clearTimeout(this.#judging);
    const { tables } = this.#host;
    try {
      // Another runner has it, or the server is silent.
      this.#lost.signal.throwIfAborted();
      await this.look((session) =>
        insist(() =>
          session.query(
            `UPDATE ${tables.lease} SET expires_at = '1970-01-01', session = NULL, main_session = NULL ` +
              "WHERE id = 1 AND fence = $1",
            [this.fence],
            { timeoutMs: 5_000 },
          )
        )
      );
      this.#options.onEvent?.({ type: "lease-released" });
    } catch {
      // The next runner finds our session gone, and takes the lease without it.
    }
    this.#isClosed = true;
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
    let failure = await this.#prolong();
    const { leaseMs } = this.#options;
    const isOver = () =>
      performance.now() - this.#beatenAt > leaseMs - MARGIN_MS;
    if (failure !== undefined && !isTaken(failure) && isOver()) {
      // Whoever takes a lease ends the sessions of the one before: another session finds out.
      await this.#session?.close();
      failure = await this.#prolong();
    }
    if (failure === undefined) return;
    if (isTaken(failure) || isOver()) this.#lose(failure);
  }

  /** Prolongs the lease; returns why it couldn't. */
  async #prolong(): Promise<unknown> {
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
          throw new LeaseLostError(
            "another runner has taken it, or somebody has run unlock",
          );
        }
        this.#beaten(sentAt);
      });
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** Takes note of a heartbeat; where none follows, the lease is over, whatever is still waited for. */
  #beaten(at: number): void {
    this.#beatenAt = at;
    clearTimeout(this.#judging);
    if (this.#isReleased) return;
    const left = at + this.#options.leaseMs - MARGIN_MS - performance.now();
    this.#judging = setTimeout(() => {
      this.#judging = setTimeout(() => this.#lose(silence()), GRACE_MS);
    }, left);
  }

  #lose(error: unknown): void {
    this.#lost.abort(
      new LeaseLostError(
        `Cannot go on with the migrations: the lease is lost (${
          reasonOf(error)
        }); run the command again, it finds out what is done`,
        { cause: error },
      ),
    );
  }
}

function silence(): Error {
  return new Error("the server doesn't answer");
}

function isTaken(failure: unknown): boolean {
  return failure instanceof LeaseLostError;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof DatabaseError)) return (error as Error).message;
  if (error.kind === "timeout") return silence().message;
  return error.kind === "connection"
    ? "the connection is lost, and no other can be opened"
    : error.message;
}

const UNDEFINED_TABLE = "42P01";

/**
 * Ends a lease whoever holds it, and says who that was; `undefined` where nobody did.
 *
 * @throws {MigrationError} Where the role may not.
 */
export async function breakLease(
  session: Session,
  tables: JournalTables,
): Promise<string | undefined> {
  // Raising the fences keeps the holder from writing, wherever it is.
  const broken = session.query(
    `WITH broken AS (UPDATE ${tables.lease} SET fence = fence + 1, expires_at = '1970-01-01' ` +
      "WHERE id = 1 AND expires_at > now() RETURNING fence, holder) " +
      `UPDATE ${tables.journal} SET fence = broken.fence FROM broken ` +
      `WHERE ${tables.journal}.id = 1 RETURNING broken.holder`,
  );
  try {
    return (await broken).rows[0]?.[0] ?? undefined;
  } catch (error) {
    const isNew = error instanceof DatabaseError &&
      error.code === UNDEFINED_TABLE;
    if (isNew) return undefined;
    throw writingFailure(error);
  }
}
