/**
 * Writers of text: what a writer is, that of a stream of this process, and one that never fails.
 *
 * @module
 */

import { delay } from "../delay.ts";

/** Takes text. */
export interface TextWriter {
  /** Whether a person looks at it, so that colour is of use. */
  readonly isTerminal: boolean;
  /** Writes a text; where that takes its time, a promise tells when it is done. */
  write(text: string): void | Promise<void>;
}

/** What of a stream a writer needs. */
export type Stream = Pick<typeof Deno.stdout, "isTerminal" | "writeSync">;

/** How often a stream that takes nothing at the moment is tried again, in milliseconds. */
const AGAIN_MS = 10;

/** Makes the writer of a stream: texts go out in order, and one that fails keeps back no other. */
export function streamWriter(stream: Stream): TextWriter {
  let before = Promise.resolve();
  return {
    isTerminal: stream.isTerminal(),
    write(text) {
      const written = before.then(() => writeAll(stream, text));
      before = written.catch(() => {});
      return written;
    },
  };
}

async function writeAll(stream: Stream, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(stream.writeSync(pieceOf(bytes)));
    } catch (error) {
      // Whoever reads, such as head, may have read enough; the run goes on.
      if (error instanceof Deno.errors.BrokenPipe) return;
      // A pipe that another program has made non-blocking is full; the lease's heart beats on meanwhile.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await delay(AGAIN_MS);
    }
  }
}

/** A pipe takes so many bytes together or none of them: `PIPE_BUF` of pipe(7) on Linux. */
const ATOMIC_BYTES = 4_096;
/** What is shorter and has no end of a line, the runtime may have kept. */
const UNKEPT_BYTES = 2_048;
const LINE_END = 10;

/**
 * The beginning of a text that was taken by nobody where writing it fails, and so may be written
 * again. Deno writes to standard output through a buffer of Rust's for 1,024 bytes: it keeps what is
 * shorter, and what stands behind the last end of a line, and whether it has is not to be seen by the
 * error. A text's very end has to be the end of a line for that.
 *
 * @see https://doc.rust-lang.org/std/io/struct.LineWriter.html
 */
function pieceOf(bytes: Uint8Array): Uint8Array {
  const end = bytes.subarray(0, ATOMIC_BYTES).lastIndexOf(LINE_END) + 1;
  if (end > 0) return bytes.subarray(0, end);
  const isLast = bytes.length <= ATOMIC_BYTES;
  return isLast ? bytes : bytes.subarray(0, UNKEPT_BYTES);
}

/** Writes what a run goes on without, such as its progress: what can't be written is left out. */
export class LenientWriter implements TextWriter {
  readonly #writer: TextWriter;
  #written: Promise<unknown> = Promise.resolve();

  /** Writes to another writer. */
  constructor(writer: TextWriter) {
    this.#writer = writer;
  }

  /** Whether a person looks at it. */
  get isTerminal(): boolean {
    return this.#writer.isTerminal;
  }

  /** Writes a text, or leaves it out. */
  write(text: string): void {
    this.#written = Promise.all([this.#written, this.#attempt(text)]);
  }

  /** Waits until all is written or left out. */
  async end(): Promise<void> {
    await this.#written;
  }

  async #attempt(text: string): Promise<void> {
    try {
      await this.#writer.write(text);
    } catch {
      // To whom this could be told is who can't be told anything.
    }
  }
}
