/**
 * The limits of a call that waits for its turn and then runs: they count from the call, so both share
 * the same time.
 *
 * @module
 */

import { timeoutError } from "../driver/call.ts";
import type { CallOptions } from "../driver/driver.ts";
import { Limit } from "../driver/limit.ts";
import { DatabaseError } from "../errors.ts";

/** A call that takes a turn, with its limits. */
export interface TurnCall extends CallOptions {
  /** The SQL, which errors name. */
  readonly text?: string;
}

/** Watches the limits of a call while it waits, and says what is left of them then. */
export class TurnLimits implements Disposable {
  readonly #controller = new AbortController();
  readonly #limit: Limit;
  readonly #call: TurnCall;
  readonly #start = performance.now();
  #leftMs?: number;

  /**
   * Starts to watch.
   *
   * @param call The call, which waits.
   */
  constructor(call: TurnCall) {
    this.#call = call;
    this.#limit = new Limit(call, (reached) => {
      const isTime = reached === "time";
      this.#controller.abort(isTime ? lateError(call) : call.signal!.reason);
    });
  }

  /** Fires when a limit is reached, with the call's error as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the limits for the statement, now that the waiting is over. */
  afterWaiting(): CallOptions {
    this[Symbol.dispose]();
    const { signal, timeoutMs } = this.#call;
    if (timeoutMs !== undefined) {
      const waitedMs = performance.now() - this.#start;
      this.#leftMs = Math.max(1, Math.ceil(timeoutMs - waitedMs));
    }
    return { signal, timeoutMs: this.#leftMs };
  }

  /** Gives an error that names the time that was left as one that names the caller's. */
  inFull(error: unknown): unknown {
    const { text = "", timeoutMs } = this.#call;
    const call = { text, args: [] };
    const { message } = timeoutError({ ...call, timeoutMs: this.#leftMs });
    if (!(error instanceof DatabaseError) || error.message !== message) {
      return error;
    }
    const { cause } = error;
    const answer = cause instanceof DatabaseError ? cause : undefined;
    return timeoutError({ ...call, timeoutMs }, answer);
  }

  /** Stops to watch. */
  [Symbol.dispose](): void {
    this.#limit[Symbol.dispose]();
  }
}

function lateError({ text: statement, timeoutMs }: TurnCall): DatabaseError {
  return new DatabaseError({
    code: "57014",
    message:
      `Cannot run the statement within ${timeoutMs} ms: the calls before it in its transaction took longer; await them first, or raise timeoutMs`,
  }, { statement });
}
