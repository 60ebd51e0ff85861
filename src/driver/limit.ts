/**
 * The limits of a call: the caller's own signal and a time, whichever comes first.
 *
 * @module
 */

import { MAX_DELAY_MS } from "../delay.ts";
import { ConfigError } from "../errors.ts";
import type { StatementOptions } from "./driver.ts";

/**
 * Refuses a signal that is none, for callers whom no compiler has checked.
 *
 * @param signal The signal; `undefined` is none to refuse.
 * @param name What the option is called.
 * @throws {ConfigError} Where it is anything else than an `AbortSignal`.
 */
export function checkSignal(signal: unknown, name = "signal"): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new ConfigError(
    `Cannot use the option ${name}: it is no AbortSignal; give an AbortController's, or leave it out`,
  );
}

/** Watches the limits of a call until it is disposed of. */
export class Limit implements Disposable {
  /** Which limit was reached; absent while none was. */
  reached?: "signal" | "time";

  #signal?: AbortSignal;
  #timer?: ReturnType<typeof setTimeout>;
  #abort?: () => void;

  /**
   * Starts to watch. Where it throws, it has started nothing.
   *
   * @param options The signal and the time, in milliseconds; either may be absent.
   * @param onReached Called once, where a limit is reached, with which one.
   */
  constructor(
    options: StatementOptions,
    onReached: (reached: "signal" | "time") => void,
  ) {
    const { signal, timeoutMs, since = performance.now() } = options;
    checkSignal(signal);
    const reach = (limit: "signal" | "time") => {
      if (this.reached !== undefined) return;
      this.reached = limit;
      onReached(limit);
    };
    if (timeoutMs !== undefined && timeoutMs <= MAX_DELAY_MS) {
      const leftMs = timeoutMs - (performance.now() - since);
      this.#timer = setTimeout(() => reach("time"), leftMs);
    }
    if (signal !== undefined) {
      this.#signal = signal;
      this.#abort = () => reach("signal");
      if (signal.aborted) this.#abort();
      else signal.addEventListener("abort", this.#abort);
    }
  }

  /** Stops the time and lets go of the signal. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    if (this.#abort !== undefined) {
      this.#signal?.removeEventListener("abort", this.#abort);
    }
  }
}
