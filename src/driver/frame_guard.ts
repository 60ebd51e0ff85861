/**
 * A watch over the frames of a server's that something else reads: it finds the first one that can't
 * be PostgreSQL's, before anyone waits for the rest of it, or looks for an end that it doesn't have.
 *
 * @module
 */

import { isPlausible } from "./frame_types.ts";
import { FRAME, HEADER_LENGTH } from "./frames.ts";

const NOTHING = new Uint8Array();

/** Follows a stream from header to header. */
export class FrameGuard {
  /** Whether the server has let the session in. */
  loggedIn = false;

  #asked = false;
  #header = new Uint8Array(HEADER_LENGTH);
  #known = 0;
  #left = 0;
  /** Whether it holds fields, which end with a zero byte of their own. */
  #hasFields = false;
  #zeros = 0;

  /**
   * Looks at the next bytes of the stream.
   *
   * @param bytes Any piece of it.
   * @throws {RangeError} Where a frame begins in it that can't be PostgreSQL's, or fields don't end.
   */
  check(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes.length - at);
        this.#left -= skipped;
        at += skipped;
        if (this.#hasFields) this.#follow(bytes.subarray(at - skipped, at));
        continue;
      }
      this.#header[this.#known++] = bytes[at++];
      if (this.#known === HEADER_LENGTH) this.#begin();
    }
  }

  #begin(): void {
    const [type, a, b, c, d] = this.#header;
    const length = 1 + (a << 24 | b << 16 | c << 8 | d);
    const phase = this.loggedIn ? "call" : "log-in";
    this.#asked ||= type === FRAME.authentication;
    const isEarly = type === FRAME.ready && !this.#asked;
    if (isEarly || !isPlausible(type, length, phase)) {
      throw new RangeError("The frame is none of PostgreSQL's");
    }
    this.#known = 0;
    this.#left = length - HEADER_LENGTH;
    this.loggedIn ||= type === FRAME.ready;
    if (type === FRAME.error || type === FRAME.notice) {
      this.#hasFields = true;
      // A body without fields is a zero byte alone.
      this.#zeros = 1;
      this.#follow(NOTHING);
    }
  }

  /** Counts the zero bytes at the end of fields: that of the last one, and that of all. */
  #follow(bytes: Uint8Array): void {
    for (const byte of bytes.subarray(-2)) {
      this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
    }
    if (this.#left > 0) return;
    this.#hasFields = false;
    if (this.#zeros < 2) throw new RangeError("The fields have no end");
  }
}
