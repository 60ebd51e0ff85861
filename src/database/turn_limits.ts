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

/** Watches the limits of a call until it is disposed of. */
export class TurnLimits implements Disposable {
  readonly #controller = new AbortController();
  readonly #limit: Limit;
  #waits = true;

  /**
   * Starts to watch.
   *
   * @param call The call, which waits.
   */
  constructor(call: TurnCall) {
    this.#limit = new Limit(call, (reached) => {
      if (reached === "signal") this.#controller.abort(call.signal!.reason);
      else this.#controller.abort(this.#waits ? lateError(call) : slow(call));
    });
  }

  /** Fires when a limit is reached, with the call's error as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the limits for the statement, now that the waiting is over. */
  afterWaiting(): CallOptions {
    this.#waits = false;
    return { signal: this.signal, timeoutMs: undefined };
  }

  /** Stops to watch. */
  [Symbol.dispose](): void {
    this.#limit[Symbol.dispose]();
  }
}

function slow({ text = "", timeoutMs }: TurnCall): DatabaseError {
  return timeoutError({ text, args: [], timeoutMs });
}

function lateError({ text: statement, timeoutMs }: TurnCall): DatabaseError {
  return new DatabaseError({
    code: "57014",
    message:
      `Cannot run the statement within ${timeoutMs} ms: the calls before it in its transaction took longer; await them first, or raise timeoutMs`,
  }, { statement });
}
