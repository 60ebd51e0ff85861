/**
 * Ctrl-C: the first stops the run after the statement in flight, the second cancels that statement,
 * and the third ends the process, as if nobody had listened.
 *
 * @module
 */

import type { CommandIo } from "./io.ts";
import type { Reporter } from "./reporter.ts";

/** Two signals for a run, while it listens to those of the process. */
export class Interrupt implements Disposable {
  readonly #stop = new AbortController();
  readonly #cancel = new AbortController();
  readonly #reporter: Reporter;
  #unlisten: (() => void) | undefined;

  /** Begins to listen. */
  constructor(io: CommandIo, reporter: Reporter) {
    this.#reporter = reporter;
    this.#unlisten = io.listen((signal) => this.#hear(signal));
  }

  /** Fires when the run is to stop. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Fires when the statement in flight is to be cancelled too. */
  get cancelSignal(): AbortSignal {
    return this.#cancel.signal;
  }

  /** Ends the listening. */
  [Symbol.dispose](): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
  }

  #hear(signal: "SIGINT" | "SIGTERM"): void {
    const reason = new DOMException("Interrupted", "AbortError");
    // The signal is obeyed first, for to say so may fail.
    if (!this.signal.aborted) {
      this.#stop.abort(reason);
      return this.#reporter.notice(
        "Interrupted: the run stops after the statement in flight; press Ctrl-C again to cancel that too",
      );
    }
    if (signal === "SIGTERM") return;
    this[Symbol.dispose]();
    this.#cancel.abort(reason);
    this.#reporter.notice("Interrupted again: the statement is cancelled");
  }
}
