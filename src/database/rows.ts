/**
 * Rows to and from tables, and the tables themselves, without SQL.
 *
 * @module
 */

import type { QueryResult } from "../driver/driver.ts";
import { quoteName } from "../sql.ts";
import { existsStatement, primaryKeyStatement } from "./catalog.ts";
import type { Where } from "./conditions.ts";
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
import {
  endOfPage,
  type Keyset,
  keysetOf,
  type PageEnd,
  type PagesOptions,
  pageStatement,
  VALUES_END,
} from "./pages.ts";
import { Queries } from "./queries.ts";
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
   * Reads a table page by page, each from where the one before ended (keyset pagination). Every row
   * comes once; those in which the column to go by is NULL come last.
   *
   * @throws {RangeError} A size that isn't a whole number from 1.
   */
  async *pages<T = Row>(
    table: string,
    options: PagesOptions = {},
  ): AsyncGenerator<T[], void> {
    const keyset = keysetOf(options);
    let after: PageEnd | undefined;
    for (;;) {
      const page = await this.#page(table, { ...keyset, after });
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
    options: Keyset & { after?: PageEnd },
  ): Promise<QueryResult> {
    const { columns, size, after } = options;
    const { text, args } = pageStatement(table, options);
    const page = await this.run(text, args, {});
    const room = size - page.rows.length;
    if (room === 0 || columns.length === 1 || after?.[0] === null) return page;
    const rest = pageStatement(table, {
      ...options,
      size: room,
      after: VALUES_END,
    });
    const { rows } = await this.run(rest.text, rest.args, {});
    return { ...page, rows: [...page.rows, ...rows] };
  }

  async #rows<T>({ text, args }: Statement): Promise<T[]> {
    const reader = new RowReader(this.types);
    return reader.finish(await this.run(text, args, { sink: reader })) as T[];
  }

  async #only<T>(statement: Statement): Promise<T> {
    return (await this.#rows<T>(statement))[0];
  }

  async #primaryKey(table: string): Promise<string[]> {
    const { text, args } = primaryKeyStatement(table);
    const { rows } = await this.run(text, args, {});
    return rows.map(([name]) => name!);
  }
}
