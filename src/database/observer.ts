/**
 * What happens around every statement: its arguments become text, it gets the database's time limit,
 * and the caller who asked for that is told of it.
 *
 * @module
 */

import type { QueryResult, RowBatch } from "../driver/driver.ts";
import type { QueryOptions } from "./limits.ts";
import { encodeArguments } from "./values.ts";

/** What a statement took; its arguments are never part of it. */
export interface QueryEvent {
  /** The SQL. */
  readonly text: string;
  /** How many arguments it had. */
  readonly argumentCount: number;
  /** How long it took, in milliseconds, the waiting for a connection included. */
  readonly durationMs: number;
  /** The number of rows affected or returned, where it succeeded. */
  readonly rowCount?: number;
  /** Why it failed, where it did. */
  readonly error?: unknown;
}

/** What an {@linkcode Observer} does. */
export interface ObserverOptions {
  /** The limit of a statement that has none of its own, in milliseconds. */
  readonly statementTimeoutMs?: number;
  /** Is told of every statement when it has ended. */
  readonly onQuery?: (event: QueryEvent) => void;
}

/** A statement on its way to a session. */
export interface ObservedCall<O extends QueryOptions> {
  /** The SQL. */
  readonly text: string;
  /** The arguments, as JavaScript values. */
  readonly args: readonly unknown[];
  /** Its limits. */
  readonly options: O;
}

/** Runs statements, and tells of them. */
export class Observer {
  readonly #options: ObserverOptions;

  /**
   * Makes an observer.
   *
   * @param options What it does.
   */
  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** Runs a statement. */
  run<O extends QueryOptions>(
    call: ObservedCall<O>,
    run: (encoded: (string | null)[], limits: O) => Promise<QueryResult>,
  ): Promise<QueryResult> {
    const encoded = encodeArguments(call.args);
    const limits = this.#limited(call.options);
    return this.#options.onQuery === undefined
      ? run(encoded, limits)
      : this.#watch(call, () => run(encoded, limits));
  }

  /** Runs a statement whose rows are yielded; it has ended when their reader has. */
  async *stream<O extends QueryOptions>(
    call: ObservedCall<O>,
    run: (encoded: (string | null)[], limits: O) => AsyncIterable<RowBatch>,
  ): AsyncGenerator<RowBatch, void> {
    const encoded = encodeArguments(call.args);
    const start = performance.now();
    let rowCount = 0;
    let failure: { error: unknown } | undefined;
    try {
      for await (const batch of run(encoded, this.#limited(call.options))) {
        rowCount += batch.rows.length;
        yield batch;
      }
    } catch (error) {
      failure = { error };
      throw error;
    } finally {
      this.#tell(call, start, failure ?? { rowCount });
    }
  }

  async #watch(
    call: ObservedCall<QueryOptions>,
    run: () => Promise<QueryResult>,
  ): Promise<QueryResult> {
    const start = performance.now();
    try {
      const result = await run();
      this.#tell(call, start, { rowCount: result.rowCount });
      return result;
    } catch (error) {
      this.#tell(call, start, { error });
      throw error;
    }
  }

  #limited<O extends QueryOptions>(options: O): O {
    const { statementTimeoutMs: timeoutMs } = this.#options;
    return timeoutMs === undefined || options.timeoutMs !== undefined
      ? options
      : { ...options, timeoutMs };
  }

  #tell(
    { text, args }: ObservedCall<QueryOptions>,
    start: number,
    outcome: { rowCount: number } | { error: unknown },
  ): void {
    const { onQuery } = this.#options;
    if (onQuery === undefined) return;
    const durationMs = performance.now() - start;
    try {
      onQuery({ text, argumentCount: args.length, durationMs, ...outcome });
    } catch (error) {
      // A fault of the observer's must neither fail the statement nor pass in silence.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
