/**
 * The way of a driver's frames to the server. deno-postgres writes a statement as five frames and
 * waits for each; here they are kept until the batch is complete and leave in one write.
 *
 * @module
 */

import { concat } from "./requests.ts";
import type { ByteStream } from "./socket.ts";

/** The part of a stream's writer that deno-postgres uses; a whole stream costs a fifth of a query. */
export interface DriverWriter {
  /** Takes one frame; never rejects. */
  write(frame: Uint8Array): Promise<void>;
  /** Always resolved: the driver awaits its writes. */
  readonly ready: Promise<void>;
}

const DONE = Promise.resolve();

/** The frames that end a batch: Query, Sync, Flush and the password. */
const BATCH_ENDS = new Set(
  ["Q", "S", "H", "p"].map((type) => type.charCodeAt(0)),
);

/** Sends frames in order. */
export class Outbox implements DriverWriter {
  /** Always resolved. */
  readonly ready: Promise<void> = DONE;
  #stream: ByteStream;
  #startup?: Uint8Array;
  #batch: Uint8Array[] = [];
  #sent = DONE;

  /**
   * Makes an outbox for a connection.
   *
   * @param stream The connection, on which nothing was said yet.
   * @param startup The frame that is sent in place of the driver's own first one.
   */
  constructor(stream: ByteStream, startup: Uint8Array) {
    this.#stream = stream;
    this.#startup = startup;
  }

  /**
   * Takes a frame of the driver's.
   *
   * @returns A resolved promise. The driver leaves some of them unawaited, so none may reject; and
   * what it waits for is the answer, not the sending.
   */
  write(frame: Uint8Array): Promise<void> {
    if (this.#startup !== undefined) {
      this.send(this.#startup);
      this.#startup = undefined;
      return DONE;
    }
    this.#batch.push(frame);
    if (BATCH_ENDS.has(frame[0])) {
      this.send(concat(this.#batch));
      this.#batch = [];
    }
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
