/**
 * The way of a driver's frames to the server, in order. A frame can be replaced on its way, where
 * the driver's own would be wrong or slow.
 *
 * @module
 */

import type { ByteStream } from "./socket.ts";

/** The part of a stream's writer that deno-postgres uses; a whole stream costs a fifth of a query. */
export interface DriverWriter {
  /** Takes one frame; never rejects. */
  write(frame: Uint8Array): Promise<void>;
  /** Always resolved: the driver awaits its writes. */
  readonly ready: Promise<void>;
}

const DONE = Promise.resolve();

/** Sends frames in order. */
export class Outbox implements DriverWriter {
  /** Always resolved. */
  readonly ready: Promise<void> = DONE;
  #stream: ByteStream;
  #replacement?: Uint8Array;
  #sent = DONE;

  /**
   * Makes an outbox for a connection.
   *
   * @param stream The connection, on which nothing was said yet.
   */
  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /**
   * Sends something else in place of the driver's next frame.
   *
   * @param bytes Whole frames.
   */
  replaceNext(bytes: Uint8Array): void {
    this.#replacement = bytes;
  }

  /**
   * Takes a frame of the driver's.
   *
   * @returns A resolved promise. The driver leaves some of them unawaited, so none may reject; and
   * what it waits for is the answer, not the sending.
   */
  write(frame: Uint8Array): Promise<void> {
    this.send(this.#replacement ?? frame);
    this.#replacement = undefined;
    return DONE;
  }

  /**
   * Sends bytes after all others.
   *
   * @param bytes Whole frames.
   * @returns Resolves when they were sent or can't be. Never rejects: what the server said before it
   * hung up is still there to be read, and tells the reason.
   */
  send(bytes: Uint8Array): Promise<void> {
    return this.#sent = this.#sent
      .then(() => this.#stream.write(bytes))
      .catch(() => {});
  }
}
