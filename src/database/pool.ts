/**
 * Sessions kept open and lent out, on `npm:tarn`. A session is lent for the length of one callback
 * or loop, so it can't be returned twice; what comes back in a transaction is rolled back, and what
 * comes back broken is replaced.
 *
 * @module
 */

import { Pool, TimeoutError } from "tarn";
import type { ConnectionConfig, Driver, Session } from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";

/** Limits of a pool. */
export interface PoolOptions {
  /** The most sessions open at once. Default: 10. */
  max?: number;
  /** How long a caller waits for a session, in milliseconds. Default: 30,000. */
  acquireTimeoutMs?: number;
  /** How long a session stays open unused, in milliseconds. Default: 60,000. */
  idleTimeoutMs?: number;
  /** How long a session lives, in milliseconds; each gets up to a tenth less. Default: 1,800,000. */
  maxLifetimeMs?: number;
}

/** A session on loan. */
export interface Loan {
  /** The session. */
  readonly session: Session;
  /** Gives it back; more calls do nothing. */
  release(): Promise<void>;
}

/** What a caller wants a session for. */
export interface AcquireOptions {
  /** Ends the waiting. */
  signal?: AbortSignal;
  /** What the session is for: the beginning of a statement. */
  purpose?: string;
}

interface Member {
  readonly session: Session;
  readonly expiresAt: number;
}

const PURPOSE_LENGTH = 60;
const DRAIN_MS = 10_000;

/** A pool of sessions of one driver on one server. */
export class SessionPool {
  readonly #pool: Pool<Member>;
  readonly #acquireTimeoutMs: number;
  readonly #max: number;
  readonly #inUse = new Map<Member, { purpose: string; since: number }>();
  #lastFailure: unknown;
  #closed = false;

  /**
   * Makes a pool; nothing is opened yet.
   *
   * @param driver What opens the sessions.
   * @param config Where to.
   * @param options Limits.
   */
  constructor(
    driver: Driver,
    config: ConnectionConfig,
    options: PoolOptions = {},
  ) {
    const {
      max = 10,
      acquireTimeoutMs = 30_000,
      idleTimeoutMs = 60_000,
      maxLifetimeMs = 1_800_000,
    } = options;
    for (
      const [name, value] of Object.entries({
        max,
        acquireTimeoutMs,
        idleTimeoutMs,
        maxLifetimeMs,
      })
    ) {
      if (!(value > 0)) {
        throw new RangeError(
          `Cannot make a pool with ${name} ${value}: give a number above 0`,
        );
      }
    }
    this.#max = max;
    this.#acquireTimeoutMs = acquireTimeoutMs;
    this.#pool = new Pool<Member>({
      min: 0,
      max,
      acquireTimeoutMillis: acquireTimeoutMs,
      // Opening has a limit of its own; this one only has to lie behind it.
      createTimeoutMillis: config.connectTimeoutMs + 5_000,
      idleTimeoutMillis: idleTimeoutMs,
      reapIntervalMillis: Math.min(1_000, idleTimeoutMs),
      create: async () => {
        try {
          const session = await driver.connect(config);
          this.#lastFailure = undefined;
          const lifetime = maxLifetimeMs * (1 - Math.random() / 10);
          return { session, expiresAt: performance.now() + lifetime };
        } catch (error) {
          this.#lastFailure = error;
          throw error;
        }
      },
      validate: ({ session, expiresAt }) =>
        !session.broken && performance.now() < expiresAt,
      destroy: ({ session }) => session.close(),
    });
  }

  /**
   * Borrows a session.
   *
   * @throws {DatabaseError} Where none could be opened, or none came free in time (kind `timeout`).
   */
  async acquire(options: AcquireOptions = {}): Promise<Loan> {
    const { signal, purpose = "" } = options;
    signal?.throwIfAborted();
    this.#refuseIfClosed();
    const beginning = shorten(purpose);
    const pending = this.#pool.acquire();
    const onAbort = () => pending.abort();
    signal?.addEventListener("abort", onAbort, { once: true });
    let member: Member;
    try {
      member = await pending.promise;
    } catch (error) {
      signal?.throwIfAborted();
      this.#refuseIfClosed();
      throw this.#explain(error, beginning);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
    this.#inUse.set(member, { purpose: beginning, since: performance.now() });
    let released: Promise<void> | undefined;
    return {
      session: member.session,
      release: () => released ??= this.#release(member),
    };
  }

  /** Lends a session to `fn` and takes it back, whatever happens. */
  async use<T>(
    fn: (session: Session) => Promise<T>,
    options?: AcquireOptions,
  ): Promise<T> {
    const loan = await this.acquire(options);
    try {
      return await fn(loan.session);
    } finally {
      await loan.release();
    }
  }

  /**
   * Waits for the sessions on loan, 10 seconds at most, and closes all.
   *
   * Those that aren't back by then are closed under their users, whose calls reject.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const stragglers = setTimeout(() => {
      for (const { session } of this.#inUse.keys()) session.close();
    }, DRAIN_MS);
    try {
      await this.#pool.destroy();
    } finally {
      clearTimeout(stragglers);
    }
  }

  async #release(member: Member): Promise<void> {
    const { session } = member;
    if (!session.broken && session.transactionStatus !== "idle") {
      try {
        await session.query("ROLLBACK", [], { timeoutMs: 5_000 });
      } catch {
        await session.close();
      }
    }
    this.#inUse.delete(member);
    this.#pool.release(member);
  }

  #refuseIfClosed(): void {
    if (this.#closed) {
      throw new DatabaseError({
        code: "08003",
        message: "Cannot use the database: it was closed; make a new Database",
      });
    }
  }

  #explain(error: unknown, purpose: string): unknown {
    if (!(error instanceof TimeoutError) || error === this.#lastFailure) {
      return error;
    }
    const now = performance.now();
    const holders = [...this.#inUse.values()]
      .map(({ purpose, since }) =>
        `${purpose || "a transaction"} (${Math.round(now - since)} ms)`
      )
      .join(", ");
    const others = this.#pool.numPendingAcquires();
    return new DatabaseError({
      code: "55P03",
      message:
        `Cannot get a connection for ${purpose || "a transaction"} within ` +
        `${this.#acquireTimeoutMs} ms: ${this.#inUse.size} of ${this.#max} are in use, for ${
          holders || "nothing"
        }, and ${others} more callers wait; end what holds them, or raise pool.max or pool.acquireTimeoutMs`,
    }, { cause: error });
  }
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= PURPOSE_LENGTH
    ? line
    : line.slice(0, PURPOSE_LENGTH - 1) + "…";
}
