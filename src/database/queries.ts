/**
 * Everything that a `Database` and a transaction have in common: queries, rows to and from tables,
 * and batches. Where a statement runs is left to the two of them.
 *
 * @module
 */

import type { CallOptions, QueryResult, RowBatch } from "../driver/driver.ts";
import {
  batchDeleteStatements,
  batchInsertStatements,
  type BatchOptions,
  batchUpdateStatements,
} from "./batch.ts";
import { mapConcurrently } from "./concurrently.ts";
import {
  columnTypes,
  columnTypesStatement,
  existsStatement,
  primaryKeyStatement,
  typeName,
  typeStatement,
  userTypes,
} from "./catalog.ts";
import {
  type AllOptions,
  type CountOptions,
  countStatement,
  createTableStatement,
  deleteStatement,
  insertStatement,
  type Row,
  type SelectOptions,
  selectStatement,
  type Statement,
  updateStatement,
  upsertStatement,
} from "./crud.ts";
import type { Where } from "./conditions.ts";
import {
  endOfPage,
  keysetOf,
  type PagesOptions,
  pageStatement,
} from "./pages.ts";
import { templateStatement } from "./template.ts";
import { decodeRows, type ValueOptions } from "./values.ts";
import { quoteName } from "../sql.ts";

/** Options of one query. */
export interface QueryOptions extends CallOptions {
  /** Cancels the statement on the server when it fires. */
  signal?: AbortSignal;
  /** Cancels the statement on the server after this many milliseconds. */
  timeoutMs?: number;
}

/** Options of {@linkcode Queries.stream}. */
export interface StreamQueryOptions extends QueryOptions {
  /** How many rows are read ahead at most. Default: 200. */
  batchSize?: number;
}

/** Options of {@linkcode Queries.batchInsert}. */
export interface BatchInsertOptions extends BatchOptions {
  /** The columns to return of every row; `["*"]` for all. Default: none. */
  returning?: readonly string[];
}

/** Options of batches that find their rows by a key. */
export interface BatchKeyOptions extends BatchOptions {
  /** The column that tells the rows apart. Default: `"id"`. */
  key?: string;
}

/** How many statements of a batch a place runs side by side. */
const BATCH_CONCURRENCY = 4;

/** Queries and CRUD, on whatever {@linkcode Queries.run} runs them on. */
export abstract class Queries {
  /** How values are decoded. */
  protected abstract readonly values: ValueOptions;

  /** Runs a statement. */
  protected abstract run(
    text: string,
    args: readonly unknown[],
    options: QueryOptions,
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
    const { columns, rows } = await this.#call(text, rest);
    return decodeRows(columns, rows, this.values) as T[];
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
    return decodeRows(columns, rows.slice(0, 1), this.values)[0] as
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
   * Runs a statement and yields its rows one by one, holding no more than a batch of them.
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
    for await (const { columns, rows } of this.runStream(text, args, options)) {
      yield* decodeRows(columns, rows, this.values) as T[];
    }
  }

  /**
   * Makes a table.
   *
   * @param name The table; `schema.table` is split.
   * @param columns The columns' names, and their types with whatever follows.
   */
  async createTable(
    name: string,
    columns: Record<string, string>,
    options: { ifNotExists?: boolean } = {},
  ): Promise<void> {
    await this.run(createTableStatement(name, columns, options), [], {});
  }

  /** Drops a table. */
  async dropTable(
    name: string,
    options: { ifExists?: boolean; cascade?: boolean } = {},
  ): Promise<void> {
    const { ifExists, cascade } = options;
    await this.run(
      `DROP TABLE ${ifExists ? "IF EXISTS " : ""}${quoteName(name)}${
        cascade ? " CASCADE" : ""
      }`,
      [],
      {},
    );
  }

  /** Says whether a table or view is there, in its schema or, without one, on the search path. */
  async exists(table: string): Promise<boolean> {
    const { text, args } = existsStatement(table);
    const { rows } = await this.run(text, args, {});
    return rows.length > 0;
  }

  /** Inserts a row and returns it as the table has it. */
  async insert<T = Row>(table: string, row: Row): Promise<T> {
    return await this.#only<T>(insertStatement(table, row));
  }

  /**
   * Inserts a row, or updates the one that is there, and returns it.
   *
   * @param options `conflict`: the columns of the unique constraint. Default: the primary key, which is looked up each time.
   * @throws {TypeError} Where neither is there.
   */
  async upsert<T = Row>(
    table: string,
    row: Row,
    options: { conflict?: readonly string[] } = {},
  ): Promise<T> {
    const conflict = options.conflict ?? await this.#primaryKey(table);
    return await this.#only<T>(upsertStatement(table, row, conflict));
  }

  /** Reads rows. */
  async select<T = Row>(
    table: string,
    options: SelectOptions = {},
  ): Promise<T[]> {
    return await this.#rows<T>(selectStatement(table, options));
  }

  /** Reads the first row, or returns `undefined` where there is none. */
  async selectOne<T = Row>(
    table: string,
    options: Omit<SelectOptions, "limit"> = {},
  ): Promise<T | undefined> {
    return (await this.#rows<T>(
      selectStatement(table, { ...options, limit: 1 }),
    ))[0];
  }

  /** Counts rows. */
  async count(table: string, options: CountOptions = {}): Promise<number> {
    const { text, args } = countStatement(table, options);
    const { rows } = await this.run(text, args, {});
    return Number(rows[0][0]);
  }

  /**
   * Changes rows and returns them.
   *
   * @throws {TypeError} Where `where` is empty and `options` doesn't say `{ all: true }`.
   */
  async update<T = Row>(
    table: string,
    changes: Row,
    where: Where,
    options: AllOptions = {},
  ): Promise<T[]> {
    return await this.#rows<T>(
      updateStatement(table, changes, { ...options, where }),
    );
  }

  /**
   * Deletes rows and returns how many.
   *
   * @throws {TypeError} Where `where` is empty and `options` doesn't say `{ all: true }`.
   */
  async delete(
    table: string,
    where: Where,
    options: AllOptions = {},
  ): Promise<number> {
    const { text, args } = deleteStatement(table, { ...options, where });
    return (await this.run(text, args, {})).rowCount;
  }

  /**
   * Inserts many rows of the same columns, and returns how many. A statement carries a chunk of them:
   * on a database four run at once and each commits by itself, so where one fails others may have
   * been written; in a transaction they run one after another and commit together.
   *
   * @throws {TypeError} Where the rows differ in their columns, or the table has no such column.
   */
  batchInsert(
    table: string,
    rows: readonly Row[],
    options?: BatchOptions & { returning?: undefined },
  ): Promise<number>;
  /** Inserts many rows of the same columns, in chunks, and returns what `returning` names of them. */
  batchInsert<T = Row>(
    table: string,
    rows: readonly Row[],
    options: BatchOptions & { returning: readonly string[] },
  ): Promise<T[]>;
  async batchInsert<T = Row>(
    table: string,
    rows: readonly Row[],
    options: BatchInsertOptions = {},
  ): Promise<number | T[]> {
    const results = await this.#batch(
      rows.length === 0 ? [] : batchInsertStatements(
        table,
        rows,
        await this.#columnTypes(table),
        options,
      ),
    );
    if (options.returning === undefined) return rowCountOf(results);
    return results.flatMap(({ columns, rows }) =>
      decodeRows(columns, rows, this.values) as T[]
    );
  }

  /**
   * Changes many rows by their key, each to its own values, in chunks as
   * {@linkcode Queries.batchInsert} does, and returns how many.
   */
  async batchUpdate(
    table: string,
    rows: readonly Row[],
    options: BatchKeyOptions = {},
  ): Promise<number> {
    if (rows.length === 0) return 0;
    const types = await this.#columnTypes(table);
    return rowCountOf(
      await this.#batch(batchUpdateStatements(table, rows, types, options)),
    );
  }

  /**
   * Deletes many rows by their key, in chunks as {@linkcode Queries.batchInsert} does, and returns how
   * many.
   */
  async batchDelete(
    table: string,
    keys: readonly unknown[],
    options: BatchKeyOptions = {},
  ): Promise<number> {
    if (keys.length === 0) return 0;
    const types = await this.#columnTypes(table);
    return rowCountOf(
      await this.#batch(batchDeleteStatements(table, keys, types, options)),
    );
  }

  /**
   * Reads a table page by page, each from where the one before ended (keyset pagination).
   *
   * @throws {RangeError} A size that isn't a whole number from 1.
   */
  async *pages<T = Row>(
    table: string,
    options: PagesOptions = {},
  ): AsyncGenerator<T[], void> {
    const keyset = keysetOf(options);
    let after: string[] | undefined;
    for (;;) {
      const { text, args } = pageStatement(table, { ...keyset, after });
      const page = await this.run(text, args, {});
      if (page.rows.length > 0) {
        yield decodeRows(page.columns, page.rows, this.values) as T[];
      }
      if (page.rows.length < keyset.size) return;
      after = endOfPage(page, keyset);
    }
  }

  #call(
    text: string | TemplateStringsArray,
    rest: unknown[],
  ): Promise<QueryResult> {
    if (typeof text !== "string") {
      const statement = templateStatement(text, rest);
      return this.run(statement.text, statement.args, {});
    }
    const [args = [], options = {}] = rest as [unknown[]?, QueryOptions?];
    return this.run(text, args, options);
  }

  async #rows<T>({ text, args }: Statement): Promise<T[]> {
    const { columns, rows } = await this.run(text, args, {});
    return decodeRows(columns, rows, this.values) as T[];
  }

  async #only<T>(statement: Statement): Promise<T> {
    return (await this.#rows<T>(statement))[0];
  }

  #batch(statements: Statement[]): Promise<QueryResult[]> {
    return mapConcurrently(
      statements,
      ({ text, args }) => this.run(text, args, {}),
      { limit: BATCH_CONCURRENCY },
    );
  }

  async #columnTypes(table: string): Promise<Map<string, string>> {
    const { text, args } = columnTypesStatement(table);
    const { rows } = await this.run(text, args, {});
    const names = new Map<string, string>();
    for (const oid of userTypes(rows)) {
      names.set(oid, await this.#typeName(oid));
    }
    return columnTypes(rows, names);
  }

  async #typeName(oid: string): Promise<string> {
    const { text, args } = typeStatement(oid);
    const { rows: [[schema, name, element]] } = await this.run(text, args, {});
    return element === null
      ? typeName(schema!, name!)
      : `${await this.#typeName(element)}[]`;
  }

  async #primaryKey(table: string): Promise<string[]> {
    const { text, args } = primaryKeyStatement(table);
    const { rows } = await this.run(text, args, {});
    return rows.map(([name]) => name!);
  }
}

function rowCountOf(results: readonly QueryResult[]): number {
  return results.reduce((sum, { rowCount }) => sum + rowCount, 0);
}
