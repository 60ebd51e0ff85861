/**
 * The pace of one that reads without a pause: a read of what is there already ends within the turn of
 * the event loop that it began in, and so would the next, however much a server sends.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** So many bytes are read before timers and other connections have their turn. */
const TURN_LENGTH = 128 * 1024;

/** Counts what is read within a turn. */
export class Pace {
  #read = 0;

  /**
   * Takes note of a read.
   *
   * @param count How many bytes it gave.
   * @returns What to wait for before the next read; `undefined` where that may follow at once.
   */
  pause(count: number): Promise<void> | undefined {
    this.#read += count;
    if (this.#read < TURN_LENGTH) return undefined;
    this.#read = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }
}
