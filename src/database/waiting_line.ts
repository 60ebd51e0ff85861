/**
 * The callers who wait for a session, first come, first served, each for the same time at most unless
 * it has a shorter limit of its own.
 *
 * @module
 */

import { clearTimeout, setTimeout } from "node:timers";
import { MAX_DELAY_MS } from "../delay.ts";
import type { CallOptions } from "../driver/driver.ts";
import { checkSignal, Limit } from "../driver/limit.ts";

/** Options of a {@linkcode WaitingLine}. */
export interface WaitingLineOptions {
  /** How long a caller waits, in milliseconds. */
  readonly timeoutMs: number;
  /** Makes the error of a caller who has waited for too long. */
  readonly lateError: (purpose: string, timeoutMs: number) => unknown;
  /** Is told when a caller was sent away. */
  readonly onRefused: () => void;
}

interface Waiter<T> {
  readonly purpose: string;
  readonly until: number;
  readonly resolve: (item: T) => void;
  readonly reject: (error: unknown) => void;
}

/** A line of callers. */
export class WaitingLine<T> {
  readonly #options: WaitingLineOptions;
  readonly #waiters = new Set<Waiter<T>>();
  /** It stays when the line is empty: making one takes a hundredth of what opening a session does. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Makes an empty line.
   *
   * @param options How long callers wait, and what happens then.
   */
  constructor(options: WaitingLineOptions) {
    this.#options = options;
  }

  /** How many callers wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Joins the line; resolves with what the caller is served.
   *
   * @param limits The caller's own, where it is not to wait as long as others.
   * @throws {ConfigError} A signal that is none.
   */
  async join(purpose: string, limits: CallOptions = {}): Promise<T> {
    const { timeoutMs, lateError } = this.#options;
    // Whoever can't leave the line would be served though no one is there.
    checkSignal(limits.signal);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const until = performance.now() + timeoutMs;
    const waiter = { purpose, until, resolve, reject };
    this.#waiters.add(waiter);
    if (this.#timer === undefined) this.#refuseLateIn(timeoutMs);
    else this.#timer.ref();
    if (limits.signal === undefined && limits.timeoutMs === undefined) {
      return await promise;
    }
    using _limit = new Limit(limits, (reached) => {
      const error = reached === "signal"
        ? limits.signal!.reason
        : lateError(purpose, limits.timeoutMs!);
      this.#refuse(waiter, error);
    });
    return await promise;
  }

  /**
   * Serves the first caller.
   *
   * @returns Whether there was one.
   */
  serveFirst(serve: (purpose: string) => T): boolean {
    const [first] = this.#waiters;
    if (first === undefined) return false;
    this.#remove(first);
    first.resolve(serve(first.purpose));
    return true;
  }

  /** Sends the first caller away. */
  refuseFirst(error: unknown): void {
    const [first] = this.#waiters;
    if (first !== undefined) this.#refuse(first, error);
  }

  /** Sends all callers away. */
  refuseAll(error: unknown): void {
    for (const waiter of this.#waiters) this.#refuse(waiter, error);
  }

  /** Lets go of the time. No one waits, nor will. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #refuse(waiter: Waiter<T>, error: unknown): void {
    if (!this.#remove(waiter)) return;
    waiter.reject(error);
    this.#options.onRefused();
  }

  #remove(waiter: Waiter<T>): boolean {
    const waited = this.#waiters.delete(waiter);
    if (this.#waiters.size === 0) this.#timer?.unref();
    return waited;
  }

  #refuseLateIn(ms: number): void {
    this.#timer = setTimeout(
      () => this.#refuseLate(),
      Math.min(ms, MAX_DELAY_MS),
    );
  }

  /** All wait for the same time, so the first ones are late first: one timer is enough. */
  #refuseLate(): void {
    const { lateError, timeoutMs } = this.#options;
    const now = performance.now();
    this.#timer = undefined;
    for (const waiter of this.#waiters) {
      if (waiter.until > now) {
        return this.#refuseLateIn(Math.ceil(waiter.until - now));
      }
      this.#refuse(waiter, lateError(waiter.purpose, timeoutMs));
    }
  }
}
