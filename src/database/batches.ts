/**
 * Many rows at once, in few statements.
 *
 * @module
 */

import type { CallOptions, QueryResult } from "../driver/driver.ts";
import {
  type Batch,
  batchDeleteStatements,
  batchInsertStatements,
  batchOf,
  type BatchOptions,
  batchUpdateStatements,
} from "./batch.ts";
import {
  columnTypes,
  columnTypesStatement,
  typeName,
  typeStatement,
  userTypes,
} from "./catalog.ts";
import { mapConcurrently } from "./concurrently.ts";
import type { Row, Statement } from "./crud.ts";
import { limitsOf } from "./limits.ts";
import type { RowInput } from "./row_input.ts";
import { RowQueries } from "./rows.ts";
import { decodeRows } from "./values.ts";

/** Options of {@linkcode BatchQueries.batchInsert}. */
export interface BatchInsertOptions extends BatchOptions {
  /** The columns to return of every row; `true` for all. Default: none. */
  returning?: true | readonly string[];
}

/** Options of batches that find their rows by a key. */
export interface BatchKeyOptions extends BatchOptions {
  /** The column that tells the rows apart. Default: `"id"`. */
  key?: string;
}

/** Batches, on whatever {@linkcode BatchQueries.run} runs statements on. */
export abstract class BatchQueries extends RowQueries {
  /** How many statements of a batch run side by side. */
  protected readonly batchConcurrency: number = 4;

  /**
   * Inserts many rows of the same columns, and returns how many. A statement carries a chunk of them:
   * on a database four run at once and each commits by itself, so where one fails others may have
   * been written; in a transaction they run one after another and commit together.
   * After the `signal`, or a chunk that takes longer than `timeoutMs`, no more chunks are sent.
   *
   * @throws {TypeError} Where the rows differ in their columns, or the table has no such column.
   */
  batchInsert(
    table: string,
    rows: readonly RowInput[],
    options?: BatchOptions & { returning?: undefined },
  ): Promise<number>;
  /** Inserts many rows of the same columns, in chunks, and returns what `returning` names of them. */
  batchInsert<T = Row>(
    table: string,
    rows: readonly RowInput[],
    options: BatchOptions & { returning: true | readonly string[] },
  ): Promise<T[]>;
  async batchInsert<T = Row>(
    table: string,
    rows: readonly RowInput[],
    options: BatchInsertOptions = {},
  ): Promise<number | T[]> {
    const limits = limitsOf(options, ["chunkSize", "returning"]);
    const results = rows?.length === 0 ? [] : await this.#batch(
      batchInsertStatements(...await this.#look(table, rows, limits), options),
      limits,
    );
    if (options.returning === undefined) return rowCountOf(results);
    return results.flatMap(({ columns, rows }) =>
      decodeRows(columns, rows, this.types.values) as T[]
    );
  }

  /**
   * Changes many rows by their key, each to its own values, in chunks as
   * {@linkcode BatchQueries.batchInsert} does, and returns how many.
   */
  async batchUpdate(
    table: string,
    rows: readonly RowInput[],
    options: BatchKeyOptions = {},
  ): Promise<number> {
    const limits = limitsOf(options, ["chunkSize", "key"]);
    if (rows?.length === 0) return 0;
    const statements = batchUpdateStatements(
      ...await this.#look(table, rows, limits),
      options,
    );
    return rowCountOf(await this.#batch(statements, limits));
  }

  /**
   * Deletes many rows by their key, in chunks as {@linkcode BatchQueries.batchInsert} does, and returns how
   * many.
   */
  async batchDelete(
    table: string,
    keys: readonly unknown[],
    options: BatchKeyOptions = {},
  ): Promise<number> {
    const limits = limitsOf(options, ["chunkSize", "key"]);
    if (keys?.length === 0) return 0;
    const types = await this.#columnTypes(table, limits);
    const statements = batchDeleteStatements(table, keys, types, options);
    return rowCountOf(await this.#batch(statements, limits));
  }

  #batch(
    statements: Iterable<Statement>,
    limits: CallOptions,
  ): Promise<QueryResult[]> {
    return mapConcurrently(
      statements,
      ({ text, args }) => this.run(text, args, limits),
      { limit: this.batchConcurrency },
    );
  }

  /** Looks at the rows while the server tells the types of their columns. */
  async #look(
    table: string,
    rows: readonly RowInput[],
    limits: CallOptions,
  ): Promise<[Batch, Map<string, string>]> {
    const [types, batch] = await Promise.allSettled([
      this.#columnTypes(table, limits),
      new Promise<Batch>((resolve) => resolve(batchOf(table, rows))),
    ]);
    if (types.status === "rejected") throw types.reason;
    if (batch.status === "rejected") throw batch.reason;
    return [batch.value, types.value];
  }

  async #columnTypes(
    table: string,
    limits: CallOptions,
  ): Promise<Map<string, string>> {
    const { text, args } = columnTypesStatement(table);
    const { rows } = await this.run(text, args, limits);
    const names = new Map<string, string>();
    for (const oid of userTypes(rows)) {
      names.set(oid, await this.#typeName(oid, limits));
    }
    return columnTypes(rows, names);
  }

  async #typeName(oid: string, limits: CallOptions): Promise<string> {
    const { text, args } = typeStatement(oid);
    const { rows: [[schema, name, element]] } = await this.run(
      text,
      args,
      limits,
    );
    return element === null
      ? typeName(schema!, name!)
      : `${await this.#typeName(element, limits)}[]`;
  }
}

function rowCountOf(results: readonly QueryResult[]): number {
  return results.reduce((sum, { rowCount }) => sum + rowCount, 0);
}
