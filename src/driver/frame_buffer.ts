/**
 * The buffer that a connection is read into, and that frames are cut from in place. There is none
 * before the first read, so that a session's first words are sent sooner. It begins small, as most
 * answers are; once one has filled it, it is large enough for many frames, so that one read serves
 * them all. Beyond that it grows only for a larger frame.
 *
 * @module
 */

import { HEADER_LENGTH } from "./frames.ts";

const FIRST_CAPACITY = 8 * 1024;
const CAPACITY = 128 * 1024;

const NONE = new Uint8Array();

/** Bytes that were read and not taken yet. */
export class FrameBuffer {
  #bytes = NONE;
  #filled = false;
  #start = 0;
  #end = 0;

  /** The type of the next frame, as a byte; 0 where nothing is left. */
  get type(): number {
    return this.#start < this.#end ? this.#bytes[this.#start] : 0;
  }

  /** The bytes of the next frame, header included; `undefined` until its header is there. */
  get length(): number | undefined {
    const at = this.#start;
    if (this.#end - at < HEADER_LENGTH) return undefined;
    const bytes = this.#bytes;
    return 1 + (bytes[at + 1] << 24 | bytes[at + 2] << 16 |
      bytes[at + 3] << 8 | bytes[at + 4]);
  }

  /** All bytes that are left. They are overwritten once they were taken. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /**
   * Takes bytes off the front. They are overwritten by the next read.
   *
   * @param length How many.
   * @returns The bytes; `undefined` where so many aren't there yet.
   */
  take(length: number): Uint8Array | undefined {
    const start = this.#start;
    if (this.#end - start < length) return undefined;
    this.#start += length;
    return this.#bytes.subarray(start, this.#start);
  }

  /** Makes room at the end and gives it; {@linkcode added} says how much of it was filled. */
  room(): Uint8Array {
    const { length } = this.#bytes;
    if (this.#start === this.#end) {
      this.#start = this.#end = 0;
      if (length === 0) this.#bytes = new Uint8Array(FIRST_CAPACITY);
      else if (this.#filled && length !== CAPACITY) {
        this.#bytes = new Uint8Array(CAPACITY);
      }
    } else if (this.#start > 0) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    } else if (this.#end === length) {
      const bytes = new Uint8Array(Math.max(length * 2, CAPACITY));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    return this.#bytes.subarray(this.#end);
  }

  /**
   * Says that bytes were written to the room.
   *
   * @param count How many.
   */
  added(count: number): void {
    this.#end += count;
    this.#filled ||= this.#end === this.#bytes.length;
  }
}
