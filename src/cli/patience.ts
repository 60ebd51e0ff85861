/**
 * How long a command that was interrupted is waited for.
 *
 * @module
 */

/** Options of {@linkcode Patience}. */
export interface PatienceOptions {
  /** How long, in milliseconds, where there is nothing to settle. Default: 1,000. */
  readonly ms?: number;
  /** Says whether there is something to settle. */
  isNeeded(): boolean;
}

/**
 * The end of the waiting. A command that has no lease yet has nothing to settle, and may be waiting
 * for a server that doesn't answer; one that has is waited for to its end.
 */
export class Patience implements Disposable {
  /** Rejects where the waiting ends before the command. */
  readonly end: Promise<never>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to wait when the signal fires. */
  constructor(signal: AbortSignal, { ms = 1_000, isNeeded }: PatienceOptions) {
    this.end = new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        this.#timer = setTimeout(() => {
          if (!isNeeded()) reject(signal.reason);
        }, ms);
      });
    });
  }

  /** Ends the waiting, whatever there is to settle. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
