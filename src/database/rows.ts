/**
 * Rows to and from tables, and the tables themselves, without SQL.
 *
 * @module
 */

import type { CallOptions, QueryResult } from "../driver/driver.ts";
import { quoteName } from "../sql.ts";
import { existsStatement, primaryKeyStatement } from "./catalog.ts";
import type { Where } from "./conditions.ts";
import {
  type AllOptions,
  COUNT_OPTIONS,
  type CountOptions,
  countStatement,
  createTableStatement,
  deleteStatement,
  insertStatement,
  type Row,
  SELECT_OPTIONS,
  type SelectOptions,
  selectStatement,
  type Statement,
  updateStatement,
  upsertStatement,
} from "./crud.ts";
import {
  endOfPage,
  type Keyset,
  keysetOf,
  type PageEnd,
  PAGES_OPTIONS,
  type PagesOptions,
  pageStatement,
  VALUES_END,
} from "./pages.ts";
import { limitsOf, type QueryOptions } from "./limits.ts";
import { Queries } from "./queries.ts";
import type { RowInput } from "./row_input.ts";
import { RowReader } from "./row_reader.ts";
import { decodeRows } from "./values.ts";

/** Tables and rows, on whatever {@linkcode Queries.run} runs statements on. */
export abstract class RowQueries extends Queries {
  /**
   * Makes a table.
   *
   * @param name The table; `schema.table` is split.
   * @param columns The columns' names, and their types with whatever follows.
   */
  async createTable(
    name: string,
    columns: Record<string, string>,
    options: QueryOptions & { ifNotExists?: boolean } = {},
  ): Promise<void> {
    const limits = limitsOf(options, ["ifNotExists"]);
    await this.run(createTableStatement(name, columns, options), [], limits);
  }

  /** Drops a table. */
  async dropTable(
    name: string,
    options: QueryOptions & { ifExists?: boolean; cascade?: boolean } = {},
  ): Promise<void> {
    const limits = limitsOf(options, ["ifExists", "cascade"]);
    const { ifExists, cascade } = options;
    await this.run(
      `DROP TABLE ${ifExists ? "IF EXISTS " : ""}${quoteName(name)}${
        cascade ? " CASCADE" : ""
      }`,
      [],
      limits,
    );
  }

  /** Says whether a table or view is there, in its schema or, without one, on the search path. */
  async exists(table: string, options: QueryOptions = {}): Promise<boolean> {
    const limits = limitsOf(options);
    const { text, args } = existsStatement(table);
    const { rows } = await this.run(text, args, limits);
    return rows.length > 0;
  }

  /** Inserts a row and returns it as the table has it. */
  async insert<T = Row>(
    table: string,
    row: RowInput,
    options: QueryOptions = {},
  ): Promise<T> {
    const limits = limitsOf(options);
    return await this.#only<T>(insertStatement(table, row), limits);
  }

  /**
   * Inserts a row, or updates the one that is there, and returns it.
   *
   * @param options `conflict`: the columns of the unique constraint. Default: the primary key, which is looked up each time.
   * @throws {TypeError} Where neither is there.
   */
  async upsert<T = Row>(
    table: string,
    row: RowInput,
    options: QueryOptions & { conflict?: readonly string[] } = {},
  ): Promise<T> {
    const limits = limitsOf(options, ["conflict"]);
    const conflict = options.conflict ?? await this.#primaryKey(table, limits);
    return await this.#only<T>(upsertStatement(table, row, conflict), limits);
  }

  /** Reads rows. */
  async select<T = Row>(
    table: string,
    options: SelectOptions = {},
  ): Promise<T[]> {
    const limits = limitsOf(options, SELECT_OPTIONS);
    return await this.#rows<T>(selectStatement(table, options), limits);
  }

  /** Reads the first row, or returns `undefined` where there is none. */
  async selectOne<T = Row>(
    table: string,
    options: Omit<SelectOptions, "limit"> = {},
  ): Promise<T | undefined> {
    const limits = limitsOf(options, SELECT_OPTIONS);
    const first = selectStatement(table, { ...options, limit: 1 });
    return await this.#only<T>(first, limits);
  }

  /** Counts rows. */
  async count(table: string, options: CountOptions = {}): Promise<number> {
    const limits = limitsOf(options, COUNT_OPTIONS);
    const { text, args } = countStatement(table, options);
    const { rows } = await this.run(text, args, limits);
    return Number(rows[0][0]);
  }

  /**
   * Changes rows and returns them.
   *
   * @throws {TypeError} Where `where` is empty and `options` doesn't say `{ all: true }`.
   */
  async update<T = Row>(
    table: string,
    changes: RowInput,
    where: Where | RowInput,
    options: AllOptions = {},
  ): Promise<T[]> {
    const limits = limitsOf(options, ["all"]);
    const statement = updateStatement(table, changes, { ...options, where });
    return await this.#rows<T>(statement, limits);
  }

  /**
   * Deletes rows and returns how many.
   *
   * @throws {TypeError} Where `where` is empty and `options` doesn't say `{ all: true }`.
   */
  async delete(
    table: string,
    where: Where | RowInput,
    options: AllOptions = {},
  ): Promise<number> {
    const limits = limitsOf(options, ["all"]);
    const { text, args } = deleteStatement(table, { ...options, where });
    return (await this.run(text, args, limits)).rowCount;
  }

  /**
   * Reads a table page by page, each from where the one before ended (keyset pagination). Every row
   * comes once; those in which the column to go by is NULL come last.
   *
   * @throws {RangeError} A size that isn't a whole number from 1.
   */
  async *pages<T = Row>(
    table: string,
    options: PagesOptions = {},
  ): AsyncGenerator<T[], void> {
    const limits = limitsOf(options, [...PAGES_OPTIONS, "key"]);
    const keyset = keysetOf(options);
    let after: PageEnd | undefined;
    for (;;) {
      const page = await this.#page(table, { ...keyset, after, limits });
      if (page.rows.length > 0) {
        yield decodeRows(page.columns, page.rows, this.types.values) as T[];
      }
      if (page.rows.length < keyset.size) return;
      after = endOfPage(page, keyset);
    }
  }

  /** Reads a page; one that the rows with a value don't fill goes on with those without one. */
  async #page(
    table: string,
    options: Keyset & { after?: PageEnd; limits: CallOptions },
  ): Promise<QueryResult> {
    const { columns, size, after, limits } = options;
    const { text, args } = pageStatement(table, options);
    const page = await this.run(text, args, limits);
    const room = size - page.rows.length;
    if (room === 0 || columns.length === 1 || after?.[0] === null) return page;
    const rest = pageStatement(table, {
      ...options,
      size: room,
      after: VALUES_END,
    });
    const { rows } = await this.run(rest.text, rest.args, limits);
    return { ...page, rows: [...page.rows, ...rows] };
  }

  async #rows<T>(
    { text, args }: Statement,
    limits: CallOptions,
  ): Promise<T[]> {
    const reader = new RowReader(this.types);
    const options = { ...limits, sink: reader };
    return reader.finish(await this.run(text, args, options)) as T[];
  }

  async #only<T>(statement: Statement, limits: CallOptions): Promise<T> {
    return (await this.#rows<T>(statement, limits))[0];
  }

  async #primaryKey(table: string, limits: CallOptions): Promise<string[]> {
    const { text, args } = primaryKeyStatement(table);
    const { rows } = await this.run(text, args, limits);
    return rows.map(([name]) => name!);
  }
}
