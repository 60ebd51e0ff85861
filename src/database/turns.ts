/**
 * The calls of one attempt at a transaction: one after another on its session, and none after its
 * end, so that a call that was left unawaited can't stray into the next attempt.
 *
 * @module
 */

import type { Session } from "../driver/driver.ts";
import type { Loan } from "./pool.ts";
import { isRetryable } from "./retry.ts";

/** The turns that calls take on a session on loan. */
export class Turns {
  /** The command of the caller's own that has ended the transaction. */
  endedBy?: "COMMIT" | "ROLLBACK";
  readonly #loan: Loan;
  #state: "open" | "ending" | "over" = "open";
  #tail: Promise<void> = Promise.resolve();
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

  /** Runs `fn` on the session, once the calls before it are done. */
  async use<R>(fn: (session: Session) => Promise<R>): Promise<R> {
    const end = await this.#turn();
    try {
      return await fn(this.session);
    } catch (error) {
      this.#note(error);
      throw error;
    } finally {
      end();
    }
  }

  /** Yields what `fn` yields on the session; no other call may be made meanwhile. */
  async *useStream<R>(
    fn: (session: Session) => AsyncIterable<R>,
  ): AsyncGenerator<R, void> {
    const end = await this.#turn();
    const items = fn(this.session)[Symbol.asyncIterator]();
    const stop = async () => {
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

  async #turn(): Promise<() => void> {
    if (this.#state !== "open") throw endedError();
    if (this.#stopStream !== undefined) {
      throw new Error(
        "Cannot run a statement while a stream of the same transaction is read; end its loop first",
      );
    }
    const before = this.#tail;
    const { promise, resolve: end } = Promise.withResolvers<void>();
    this.#tail = promise;
    await before;
    if (this.#state as string !== "over") return end;
    end();
    throw endedError();
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

function endedError(): Error {
  return new Error(
    "Cannot use the transaction: it has ended; await every call inside its callback",
  );
}
