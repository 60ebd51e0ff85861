/**
 * What a `Database` and a transaction have in common, first of all: a caller's own statements. Where
 * a statement runs is left to the two of them.
 *
 * @module
 */

import type {
  QueryResult,
  RowBatch,
  SessionQueryOptions,
} from "../driver/driver.ts";
import type { Row } from "./crud.ts";
import { limitsOf, type QueryOptions } from "./limits.ts";
import { RowReader } from "./row_reader.ts";
import { noStatementError, templateStatement } from "./template.ts";
import { decodeRows, type ResultTypes } from "./values.ts";

/** Options of {@linkcode Queries.stream}. */
export interface StreamQueryOptions extends QueryOptions {
  /** How many rows are read ahead at most. Default: 100; more aren't in any case, nor more than about 1 MiB. */
  batchSize?: number;
}

/** More would go no faster, and live long enough to make the heap grow. */
const READ_AHEAD = 100;

/** Statements of a caller, on whatever {@linkcode Queries.run} runs them on. */
export abstract class Queries {
  /** The types of the database, by which values are decoded. */
  protected abstract readonly types: ResultTypes;

  /** Runs a statement. */
  protected abstract run(
    text: string,
    args: readonly unknown[],
    options: SessionQueryOptions,
  ): Promise<QueryResult>;

  /** Runs a statement and yields its rows in batches. */
  protected abstract runStream(
    text: string,
    args: readonly unknown[],
    options: StreamQueryOptions,
  ): AsyncIterable<RowBatch>;

  /** Runs a statement and returns its rows. `$1` … stand for the arguments. */
  query<T = Row>(
    text: string,
    args?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<T[]>;
  /** Runs a statement and returns its rows. The values in the template are bound, never spliced. */
  query<T = Row>(
    text: TemplateStringsArray,
    ...values: unknown[]
  ): Promise<T[]>;
  async query<T = Row>(
    text: string | TemplateStringsArray,
    ...rest: unknown[]
  ): Promise<T[]> {
    const reader = new RowReader(this.types);
    return reader.finish(await this.#call(text, rest, reader)) as T[];
  }

  /** Runs a statement and returns its first row, or `undefined` where there is none. */
  queryOne<T = Row>(
    text: string,
    args?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<T | undefined>;
  /** Runs a statement and returns its first row. The values in the template are bound. */
  queryOne<T = Row>(
    text: TemplateStringsArray,
    ...values: unknown[]
  ): Promise<T | undefined>;
  async queryOne<T = Row>(
    text: string | TemplateStringsArray,
    ...rest: unknown[]
  ): Promise<T | undefined> {
    const { columns, rows } = await this.#call(text, rest);
    return decodeRows(columns, rows.slice(0, 1), this.types.values)[0] as
      | T
      | undefined;
  }

  /** Runs a statement and returns the number of rows affected; 0 for DDL. */
  execute(
    text: string,
    args?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<number>;
  /** Runs a statement and returns the number of rows affected. The values in the template are bound. */
  execute(text: TemplateStringsArray, ...values: unknown[]): Promise<number>;
  async execute(
    text: string | TemplateStringsArray,
    ...rest: unknown[]
  ): Promise<number> {
    return (await this.#call(text, rest)).rowCount;
  }

  /**
   * Runs one statement and yields its rows one by one, holding no more than a batch of them. Of
   * several statements in one text the server refuses all.
   *
   * @example
   * ```ts ignore
   * for await (const event of db.stream("SELECT * FROM events ORDER BY at")) console.log(event);
   * ```
   */
  async *stream<T = Row>(
    text: string,
    args: readonly unknown[] = [],
    options: StreamQueryOptions = {},
  ): AsyncGenerator<T, void> {
    if (typeof text !== "string") throw noStatementError("no text");
    const limits = limitsOf(options, ["batchSize"]);
    const { batchSize: asked = READ_AHEAD } = options;
    const batchSize = Number.isInteger(asked)
      ? Math.min(asked, READ_AHEAD)
      : asked;
    for await (
      const { columns, rows } of this.runStream(text, args, {
        ...limits,
        batchSize,
      })
    ) {
      yield* decodeRows(columns, rows, this.types.values) as T[];
    }
  }

  #call(
    text: string | TemplateStringsArray,
    rest: unknown[],
    sink?: RowReader,
  ): Promise<QueryResult> {
    if (typeof text !== "string") {
      const statement = templateStatement(text, rest);
      return this.run(statement.text, statement.args, { sink });
    }
    const [args = [], options] = rest as [unknown[]?, QueryOptions?];
    if (options === undefined) return this.run(text, args, { sink });
    return this.run(text, args, { ...limitsOf(options), sink });
  }
}
