/**
 * The sessions of a pool, as `npm:pg-pool` keeps them: it opens, counts, limits and forgets them.
 *
 * The library takes no step of its own between a call for a session and the opening, or between that
 * and the session's first use, so it costs nothing where the server is nearby. It is made for clients
 * of `npm:pg`; here it is given as much of one as it needs.
 *
 * @module
 */

import PgPool from "pg-pool";
import { settledWithin } from "../delay.ts";
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

const CLOSE_TIMEOUT_MS = 5_000;

/** Says whether a session can still be lent. */
export function isUsable({ session, expiresAt }: Member): boolean {
  return !session.broken && performance.now() < expiresAt;
}

/** The sessions of a pool. */
export class Members {
  readonly #options: MembersOptions;
  readonly #library: Library;
  readonly #opening = new AbortController();
  readonly #clients = new Map<Member, Client>();
  #fetching = 0;

  /**
   * Has no sessions yet.
   *
   * @param options What they are opened with.
   */
  constructor(options: MembersOptions) {
    this.#options = options;
    const { max } = options.limits;
    const open = () => this.#open();
    this.#library = new PgPool({ max, Client, open }) as unknown as Library;
  }

  /** How many are being fetched. */
  get fetching(): number {
    return this.#fetching;
  }

  /** Fetches a new one. */
  fetch(): void {
    const { onMember, onFailure } = this.#options;
    this.#fetching++;
    this.#library.connect((error, client) => {
      this.#fetching--;
      if (client === undefined) return onFailure(error);
      this.#clients.set(client.member, client);
      onMember(client.member);
    });
  }

  /** Closes one that was given; once it is closed, there is room for another. */
  retire(member: Member): void {
    const client = this.#clients.get(member);
    if (client === undefined) return;
    this.#clients.delete(member);
    const release = () => client.release(true);
    member.session.close().then(release, release);
  }

  /** Gives up what is being opened. */
  abort(reason: unknown): void {
    this.#opening.abort(reason);
  }

  /**
   * Resolves once all were retired and closed, or after some seconds where a driver keeps to no limit
   * in that. No more can be fetched.
   */
  close(): Promise<void> {
    return settledWithin(CLOSE_TIMEOUT_MS, this.#library.end());
  }

  async #open(): Promise<Member> {
    const { driver, config, limits } = this.#options;
    const { signal } = this.#opening;
    const session = await driver.connect(config, { signal });
    const usedAt = performance.now();
    const lifetime = limits.maxLifetimeMs * (1 - Math.random() / 10);
    return { session, expiresAt: usedAt + lifetime, usedAt };
  }
}

/** As much of the library as is used here; its package has no types. */
interface Library {
  connect(done: (error: unknown, client: Client | undefined) => void): void;
  end(): Promise<void>;
}

/** A session, as the library sees it. */
class Client {
  readonly #open: () => Promise<Member>;
  /** What was opened. */
  member!: Member;
  /** Takes it back, to forget it; the library puts this here. */
  release!: (destroy: true) => void;

  constructor({ open }: { open: () => Promise<Member> }) {
    this.#open = open;
  }

  connect(done: (error?: unknown) => void): void {
    this.#open().then((member) => {
      this.member = member;
      done();
      // The library takes a reason that is none for a success.
    }, (error) => done(error || new Error("the driver gave no reason")));
  }

  end(done: () => void): void {
    done();
  }

  /** It listens for the errors of idle sessions, and none is idle where it knows of it. */
  on(): void {}

  removeListener(): void {}
}
