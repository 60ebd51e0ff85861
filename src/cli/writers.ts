/**
 * Writers of text: what a writer is, that of a stream of this process, and one that never fails.
 *
 * @module
 */

/** Takes text. */
export interface TextWriter {
  /** Whether a person looks at it, so that colour is of use. */
  readonly isTerminal: boolean;
  /** Writes a text. */
  write(text: string): void;
}

/** Makes the writer of a stream. */
export function streamWriter(
  stream: typeof Deno.stdout | typeof Deno.stderr,
): TextWriter {
  return {
    isTerminal: stream.isTerminal(),
    write(text) {
      let bytes = new TextEncoder().encode(text);
      try {
        while (bytes.length > 0) {
          bytes = bytes.subarray(stream.writeSync(bytes));
        }
      } catch (error) {
        // Whoever reads, such as head, may have read enough; the run goes on.
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      }
    },
  };
}

/** Writes what a run goes on without, such as its progress: what can't be written is left out. */
export class LenientWriter implements TextWriter {
  readonly #writer: TextWriter;

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
    try {
      this.#writer.write(text);
    } catch {
      // To whom this could be told is who can't be told anything.
    }
  }
}
