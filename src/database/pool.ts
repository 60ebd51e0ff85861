/**
 * Sessions kept open and lent out. A session is lent for the length of one callback or loop, so it
 * can't be returned twice; what comes back in a transaction is rolled back, and what comes back
 * broken is replaced.
 *
 * A library keeps the sessions. In front of it stand those used last and the queue of callers,
 * because its timer for each idle session costs as much as a short statement, and because those in
 * its queue aren't told that the server is gone.
 *
 * @module
 */

import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { MAX_DELAY_MS, settledWithin } from "../delay.ts";
import type { ConnectionConfig, Driver, Session } from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";
import { isUsable, type Member, Members } from "./members.ts";
import { closedError, type Holder, lateError } from "./pool_errors.ts";
import {
  type CloseOptions,
  poolLimits,
  type PoolOptions,
} from "./pool_limits.ts";
import { WaitingLine } from "./waiting_line.ts";

/** A session on loan. */
export interface Loan {
  /** The session. */
  readonly session: Session;
  /** Gives it back; more calls do nothing. Never rejects. */
  release(): Promise<void>;
}

/** What a caller wants a session for. */
export interface AcquireOptions {
  /** Ends the waiting. */
  signal?: AbortSignal;
  /** How long to wait for a session, where the pool's limit is longer, in milliseconds. */
  timeoutMs?: number;
  /** What the session is for, such as a statement; messages show its beginning. */
  purpose?: string;
}

const CLOSE_TIMEOUT_MS = 10_000;
const ROLLBACK_TIMEOUT_MS = 5_000;
/** What the server said to a session that was idle for longer may not have been read yet. */
const STALE_MS = 50;
const TOO_MANY_CONNECTIONS = "53300";
const DONE = Promise.resolve();

/** A pool of sessions of one driver on one server. */
export class SessionPool {
  readonly #members: Members;
  readonly #limits: Required<PoolOptions>;
  readonly #onLoan = new Map<Member, Holder>();
  readonly #line: WaitingLine<Loan>;
  readonly #atHand: Member[] = [];
  #lastFailure: unknown;
  #tidying: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;

  /**
   * Makes a pool; nothing is opened yet.
   *
   * @param driver What opens the sessions.
   * @param config Where to.
   * @param options Limits.
   * @throws {ConfigError} A limit that is unknown or not above 0.
   */
  constructor(
    driver: Driver,
    config: ConnectionConfig,
    options: PoolOptions = {},
  ) {
    const limits = this.#limits = poolLimits(options);
    this.#line = new WaitingLine({
      timeoutMs: limits.acquireTimeoutMs,
      lateError: (purpose, timeoutMs) => this.#lateError(purpose, timeoutMs),
      onRefused: () => this.#checkDrained(),
    });
    this.#members = new Members({
      driver,
      config,
      limits,
      onMember: (member) => {
        this.#lastFailure = undefined;
        this.#handOver(member);
      },
      onFailure: (error) => this.#fail(error),
    });
  }

  /**
   * Borrows a session.
   *
   * @throws {DatabaseError} Where none could be opened, or none came free in time (kind `timeout`).
   */
  async acquire(options: AcquireOptions = {}): Promise<Loan> {
    return this.#lendFromHand(options) ?? await this.#join(options);
  }

  /** Lends a session to `fn` and takes it back, whatever happens. */
  async use<T>(
    fn: (session: Session) => Promise<T>,
    options: AcquireOptions = {},
  ): Promise<T> {
    const loan = this.#lendFromHand(options) ?? await this.#join(options);
    try {
      return await fn(loan.session);
    } finally {
      await loan.release();
    }
  }

  /**
   * Refuses new callers, waits for those that are there, and closes all sessions.
   *
   * Sessions that aren't back within the limit are closed under their users, whose calls reject.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closed = true;
    return this.#closing ??= this.#close(options);
  }

  async #close({ timeoutMs = CLOSE_TIMEOUT_MS }: CloseOptions): Promise<void> {
    if (this.#onLoan.size + this.#line.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onDrained = resolve;
      await settledWithin(timeoutMs, promise);
    }
    // An error's stack costs more than the rest of a quiet end.
    if (this.#line.size + this.#members.fetching > 0) {
      this.#line.refuseAll(closedError());
      this.#members.abort(closedError());
    }
    await Promise.all([...this.#onLoan.keys()].map(async (member) => {
      const { session } = member;
      // Without a cancel request PostgreSQL would go on with the statement.
      await Promise.all([session.cancel(), session.close()]);
      this.#takeBack(member);
    }));
    for (const member of this.#atHand.splice(0)) this.#members.retire(member);
    clearTimeout(this.#tidying);
    this.#line.close();
    await this.#members.close();
  }

  #lendFromHand(
    { signal, purpose = "" }: AcquireOptions,
    staleMs = STALE_MS,
  ): Loan | undefined {
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    const member = this.#takeFromHand(staleMs);
    return member && this.#lend(member, purpose);
  }

  async #join(options: AcquireOptions): Promise<Loan> {
    if (this.#atHand.length > 0) {
      // The server's good-bye to a session that was idle is read in the next turn of the event loop.
      await new Promise<void>((resolve) => setImmediate(resolve));
      const loan = this.#lendFromHand(options, Infinity);
      if (loan !== undefined) return loan;
    }
    const { purpose = "", signal, timeoutMs } = options;
    const loan = this.#line.join(purpose, { signal, timeoutMs });
    this.#fetch();
    return await loan;
  }

  #takeFromHand(staleMs: number): Member | undefined {
    for (;;) {
      const member = this.#atHand.at(-1);
      if (member === undefined) return undefined;
      const idleMs = performance.now() - member.usedAt;
      if (isUsable(member) && idleMs < this.#limits.idleTimeoutMs) {
        return idleMs > staleMs ? undefined : this.#atHand.pop();
      }
      this.#members.retire(this.#atHand.pop()!);
    }
  }

  #lend(member: Member, purpose: string): Loan {
    this.#onLoan.set(member, { purpose, since: performance.now() });
    let released: Promise<void> | undefined;
    return {
      session: member.session,
      release: () => released ??= this.#release(member),
    };
  }

  /** Fetches a session for those who wait, where there is room for one. */
  #fetch(): void {
    const { fetching } = this.#members;
    const sessions = this.#onLoan.size + this.#atHand.length + fetching;
    if (fetching >= this.#line.size || sessions >= this.#limits.max) return;
    this.#members.fetch();
  }

  #fail(error: unknown): void {
    this.#lastFailure = error;
    const served = this.#onLoan.size > 0;
    // With nothing in use or under way, no one who waits could be served.
    if (!served && this.#members.fetching === 0) {
      return this.#line.refuseAll(error);
    }
    const isFull = error instanceof DatabaseError &&
      error.code === TOO_MANY_CONNECTIONS;
    if (!(isFull && served)) this.#line.refuseFirst(error);
  }

  #handOver(member: Member): void {
    if (this.#line.serveFirst((purpose) => this.#lend(member, purpose))) return;
    if (this.#closed) this.#members.retire(member);
    else {
      member.usedAt = performance.now();
      this.#atHand.push(member);
      this.#tidying ??= this.#tidyLater();
    }
  }

  #release(member: Member): Promise<void> {
    const { busy, broken, transactionStatus } = member.session;
    if (busy) return this.#stop(member);
    if (!broken && transactionStatus !== "idle") return this.#rollback(member);
    this.#takeBack(member);
    return DONE;
  }

  /** Ends what was left under way: the next borrower is to have a session that is free. */
  async #stop(member: Member): Promise<void> {
    const { session } = member;
    await session.cancel().catch(() => {});
    if (!session.busy) return await this.#release(member);
    await session.close();
    this.#takeBack(member);
  }

  async #rollback(member: Member): Promise<void> {
    const { session } = member;
    try {
      await session.query("ROLLBACK", [], { timeoutMs: ROLLBACK_TIMEOUT_MS });
    } catch {
      await session.close();
    }
    this.#takeBack(member);
  }

  #takeBack(member: Member): void {
    if (!this.#onLoan.delete(member)) return;
    if (isUsable(member)) this.#handOver(member);
    else {
      this.#members.retire(member);
      this.#fetch();
    }
    this.#checkDrained();
  }

  #checkDrained(): void {
    if (this.#onLoan.size + this.#line.size === 0) this.#onDrained?.();
  }

  /** Sessions that weren't used since then have been idle for long enough. */
  #idleSince(): number {
    return performance.now() - this.#limits.idleTimeoutMs;
  }

  /** Closes idle sessions; those used first come first. */
  #tidy(): void {
    const since = this.#idleSince();
    while (this.#atHand.length > 0 && this.#atHand[0].usedAt <= since) {
      this.#members.retire(this.#atHand.shift()!);
    }
    this.#tidying = this.#atHand.length > 0 ? this.#tidyLater() : undefined;
  }

  #tidyLater(): ReturnType<typeof setTimeout> {
    const left = this.#atHand[0].usedAt - this.#idleSince();
    const delay = Math.min(Math.max(Math.ceil(left), 0), MAX_DELAY_MS);
    // Neither idle sessions nor their end keep the process alive.
    return setTimeout(() => this.#tidy(), delay).unref();
  }

  #lateError(purpose: string, timeoutMs: number): unknown {
    const { max, acquireTimeoutMs } = this.#limits;
    return lateError({
      purpose,
      timeoutMs,
      isOwnLimit: timeoutMs !== acquireTimeoutMs,
      max,
      holders: [...this.#onLoan.values()],
      opening: this.#members.fetching,
      others: this.#line.size - 1,
    }, this.#lastFailure);
  }
}
