/**
 * The way of a driver's frames to the server, in order. Where a frame of the driver's would be wrong
 * or slow, something else is sent in its place.
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

/** The part of a `Deno.Conn` that deno-postgres uses. */
export interface DriverConn {
  /** Reads bytes of the frames that are meant for the driver. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Takes the driver's frames, a whole one at a time. */
  readonly writable: { getWriter(): DriverWriter };
  /** Does nothing: the transport closes the connection. */
  close(): void;
}

const DONE = Promise.resolve();

/** Sends frames in order. */
export class Outbox implements DriverWriter {
  /** Always resolved. */
  readonly ready: Promise<void> = DONE;
  #stream: ByteStream;
  #skipsNext = false;
  #sent = DONE;
  #sending = 0;

  /**
   * Makes an outbox for a connection.
   *
   * @param stream The connection, on which nothing was said yet.
   */
  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /**
   * Sends something now, in place of the driver's next frame: what the driver does until it would
   * send that takes as long as a short statement takes the server.
   *
   * @param bytes Whole frames.
   */
  sendInstead(bytes: Uint8Array): void {
    this.send(bytes);
    this.#skipsNext = true;
  }

  /**
   * Takes a frame of the driver's.
   *
   * @returns A resolved promise. The driver leaves some of them unawaited, so none may reject; and
   * what it waits for is the answer, not the sending.
   */
  write(frame: Uint8Array): Promise<void> {
    if (!this.#skipsNext) this.send(frame);
    this.#skipsNext = false;
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
    const write = () => this.#stream.write(bytes);
    const sent = this.#sending === 0 ? write() : this.#sent.then(write);
    this.#sending++;
    return this.#sent = sent.catch(() => {}).then(() => {
      this.#sending--;
    });
  }
}
