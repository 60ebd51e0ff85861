/**
 * The sessions of a pool, as `npm:tarn` keeps them: it opens, counts, limits and ends them.
 *
 * What the library does before and after it opens a session takes as long as reaching a server
 * nearby. So an opening begins before the library is asked, and what was opened is given away before
 * the library counts it.
 *
 * @module
 */

import { Pool } from "tarn";
import type { ConnectionConfig, Driver, Session } from "../driver/driver.ts";
import type { PoolOptions } from "./pool_limits.ts";

/** A session of a pool. */
export interface Member {
  /** The session. */
  readonly session: Session;
  /** When it has lived for long enough, on the clock of `performance.now()`. */
  readonly expiresAt: number;
  /** When it was used last, on the same clock. */
  usedAt: number;
}

/** What {@linkcode Members} need. */
export interface MembersOptions {
  /** What opens the sessions. */
  readonly driver: Driver;
  /** Where to. */
  readonly config: ConnectionConfig;
  /** The limits of the pool. */
  readonly limits: Required<PoolOptions>;
  /** Takes a session that was fetched. */
  readonly onMember: (member: Member) => void;
  /** Is told why none could be fetched. */
  readonly onFailure: (error: unknown) => void;
}

type Fetch = ReturnType<Pool<Member>["acquire"]>;

/** Opening has a limit of its own; the library's only has to lie behind it. */
const CREATE_MARGIN_MS = 5_000;
const REAP_INTERVAL_MS = 1_000;

/** Says whether a session can still be lent. */
export function isUsable({ session, expiresAt }: Member): boolean {
  return !session.broken && performance.now() < expiresAt;
}

/** The sessions of a pool. */
export class Members {
  readonly #options: MembersOptions;
  readonly #opening = new AbortController();
  readonly #fetches = new Set<Fetch>();
  /** Those that the library doesn't count yet, and of these the ones that are back already. */
  readonly #early = new WeakSet<Member>();
  readonly #back = new WeakSet<Member>();
  #library: Pool<Member> | undefined;
  #begun: Promise<Member> | undefined;

  /**
   * Has no sessions yet.
   *
   * @param options What they are opened with.
   */
  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** How many are being fetched. */
  get fetching(): number {
    return this.#fetches.size;
  }

  /** Fetches a new one. */
  fetch(): void {
    const fetch = this.#acquire();
    this.#fetches.add(fetch);
    this.#settle(fetch);
  }

  /** Closes one that was given, and makes room for another. */
  retire(member: Member): void {
    member.session.close();
    if (this.#early.has(member)) this.#back.add(member);
    else this.#library?.release(member);
  }

  /** Gives up what is being opened. */
  abort(reason: unknown): void {
    this.#opening.abort(reason);
  }

  /** Closes them all, once those that were given were retired. */
  async close(): Promise<void> {
    await this.#library?.destroy();
  }

  #acquire(): Fetch {
    if (this.#mustOpen()) this.#begun = this.#open();
    this.#library ??= this.#newLibrary();
    return this.#library.acquire();
  }

  /** Whether the library, asked for a session, would open one at once. */
  #mustOpen(): boolean {
    if (this.#library === undefined) return true;
    const creates = this.#library.numPendingCreates();
    return this.#library.numFree() === 0 &&
      creates <= this.#library.numPendingAcquires() &&
      creates + this.#library.numUsed() < this.#options.limits.max;
  }

  #newLibrary(): Pool<Member> {
    const { limits, config } = this.#options;
    const createTimeoutMillis = config.connectTimeoutMs + CREATE_MARGIN_MS;
    return new Pool<Member>({
      min: 0,
      max: limits.max,
      createTimeoutMillis,
      acquireTimeoutMillis: createTimeoutMillis,
      // What comes back to it is closed, and only to be forgotten.
      idleTimeoutMillis: 1,
      reapIntervalMillis: REAP_INTERVAL_MS,
      create: () => {
        const begun = this.#begun ?? this.#open();
        this.#begun = undefined;
        return begun;
      },
      // One that is lent already must not be closed for its age.
      validate: (member) =>
        this.#early.has(member) ? !member.session.broken : isUsable(member),
      destroy: ({ session }) => session.close(),
    });
  }

  async #open(): Promise<Member> {
    const { driver, config, limits } = this.#options;
    const { signal } = this.#opening;
    try {
      const session = await driver.connect(config, { signal });
      const now = performance.now();
      const lifetime = limits.maxLifetimeMs * (1 - Math.random() / 10);
      const member = { session, expiresAt: now + lifetime, usedAt: now };
      if (!signal.aborted) this.#give(member);
      return member;
    } catch (error) {
      // Of failures at the same time the library would tell only one who fetches.
      const fetch = this.#takeFetch();
      if (fetch !== undefined) {
        fetch.isRejected = true;
        fetch.reject(error as Error);
      }
      throw error;
    }
  }

  #give(member: Member): void {
    if (this.#takeFetch() === undefined) return;
    this.#early.add(member);
    this.#options.onMember(member);
  }

  /** Which fetch gets which session makes no difference. */
  #takeFetch(): Fetch | undefined {
    const [fetch] = this.#fetches;
    if (fetch !== undefined) this.#fetches.delete(fetch);
    return fetch;
  }

  async #settle(fetch: Fetch): Promise<void> {
    try {
      const member = await fetch.promise;
      this.#fetches.delete(fetch);
      if (!this.#early.delete(member)) this.#options.onMember(member);
      else if (this.#back.delete(member)) this.#library?.release(member);
    } catch (error) {
      this.#fetches.delete(fetch);
      this.#options.onFailure(error);
    }
  }
}
