/**
 * The calls of one attempt at a transaction: one after another on its session, and none after its
 * end, so that a call that was left unawaited can't stray into the next attempt.
 *
 * @module
 */

import type { Session, StatementOptions } from "../driver/driver.ts";
import type { Loan } from "./pool.ts";
import { isRetryable } from "./retry.ts";
import { type TurnCall, waitWithin } from "./turn_limits.ts";

/** A call whose turn it is. */
interface Turn {
  /** Its limits, which count from the call. */
  readonly limits: StatementOptions;
  /** Lets the next one have its turn; more calls do nothing. */
  readonly end: () => void;
}

/** The turns that calls take on a session on loan. */
export class Turns {
  /** The command of the caller's own that has ended the transaction. */
  endedBy?: string;
  readonly #loan: Loan;
  #state: "open" | "ending" | "over" = "open";
  /** The end of the last call; absent while the session is free. */
  #tail: Promise<void> | undefined;
  #hasStream = false;
  #stopStream: (() => Promise<void>) | undefined;
  #failure: unknown;

  /**
   * Makes turns on a session.
   *
   * @param loan The session; it is given back at the end.
   */
  constructor(loan: Loan) {
    this.#loan = loan;
  }

  /** The session, for those who know that it is free. */
  get session(): Session {
    return this.#loan.session;
  }

  /** Why a call failed: the first failure, or the first that asks for another attempt. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Runs `fn` on the session, once the calls before it are done.
   *
   * @param fn Is given the limits.
   * @param call The limits, which count from now on.
   */
  async use<R>(
    fn: (session: Session, limits: StatementOptions) => Promise<R>,
    call: TurnCall = {},
  ): Promise<R> {
    const { limits, end } = await this.#turn(call);
    try {
      return await fn(this.session, limits);
    } catch (error) {
      this.#note(error);
      throw error;
    } finally {
      end();
    }
  }

  /**
   * Yields what `fn` yields on the session; no other call may be made meanwhile, nor while it waits.
   *
   * @param fn Is given the limits.
   * @param call The limits, which count from now on.
   */
  async *useStream<R>(
    fn: (session: Session, limits: StatementOptions) => AsyncIterable<R>,
    call: TurnCall = {},
  ): AsyncGenerator<R, void> {
    const { limits, end } = await this.#turn(call, { isStream: true });
    const items = fn(this.session, limits)[Symbol.asyncIterator]();
    const stop = async () => {
      this.#hasStream = false;
      this.#stopStream = undefined;
      await items.return?.();
      end();
    };
    this.#stopStream = stop;
    try {
      for (;;) {
        const { done, value } = await items.next();
        if (this.#state !== "open") throw endedError();
        if (done) return;
        yield value;
      }
    } catch (error) {
      this.#note(error);
      throw error;
    } finally {
      await stop();
    }
  }

  /** Refuses further calls, and waits for those that were made. */
  async finish(): Promise<void> {
    if (this.#state === "open") this.#state = "ending";
    await this.#stopStream?.();
    await this.#tail;
  }

  /** Gives the session back once the call under way is done; those behind it are refused. */
  async end(): Promise<void> {
    this.#state = "over";
    await this.finish();
    await this.#loan.release();
  }

  /** Takes its place in the line at once, so that what is called in the same tick knows of it. */
  async #turn(call: TurnCall, { isStream = false } = {}): Promise<Turn> {
    if (this.#state !== "open") throw endedError();
    if (this.#hasStream) throw streamedError();
    this.#hasStream = isStream;
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    const end = () => {
      if (this.#tail === promise) this.#tail = undefined;
      resolve();
    };
    const { signal, timeoutMs } = call;
    if (before === undefined) return { limits: { signal, timeoutMs }, end };
    const limits = { signal, timeoutMs, since: performance.now() };
    try {
      await waitWithin(call, before);
      this.#checkTurn(isStream);
      return { limits, end };
    } catch (error) {
      if (isStream) this.#hasStream = false;
      // Those behind it go on waiting for those before it.
      before.then(end);
      throw error;
    }
  }

  /** A call that was made in time has its turn; a stream that no one can read any more has none. */
  #checkTurn(isStream: boolean): void {
    const isMissed = this.#state === "over" ||
      (isStream && this.#state === "ending");
    if (isMissed) throw endedError();
  }

  #note(error: unknown): void {
    if (
      this.#failure === undefined ||
      (isRetryable(error) && !isRetryable(this.#failure))
    ) {
      this.#failure = error;
    }
  }
}

function streamedError(): Error {
  return new Error(
    "Cannot run a statement while a stream of the same transaction is read; end its loop first",
  );
}

function endedError(): Error {
  return new Error(
    "Cannot use the transaction: it has ended; await every call inside its callback",
  );
}
