/**
 * A table by name: the CRUD methods for rows that are told apart by one key column.
 *
 * @module
 */

import type { Where } from "./conditions.ts";
import type { CountOptions, Row, SelectOptions } from "./crud.ts";
import type { BatchOptions } from "./batch.ts";
import type { PagesOptions } from "./pages.ts";
import type { BatchQueries } from "./batches.ts";

/**
 * A table whose rows have the type `T`.
 *
 * @example
 * ```ts ignore
 * const users = db.table<{ id: string; name: string }>("users");
 * const ada = await users.create({ name: "Ada" });
 * await users.update(ada.id, { name: "Ada Lovelace" });
 * ```
 */
export class Table<T = Row> {
  readonly #queries: BatchQueries;
  readonly #name: string;
  readonly #key: string;

  /** Is made by `db.table(name)` and `tx.table(name)`. */
  constructor(
    queries: BatchQueries,
    name: string,
    options: { key?: string } = {},
  ) {
    const { key = "id" } = options;
    this.#queries = queries;
    this.#name = name;
    this.#key = key;
  }

  /** Inserts a row and returns it as the table has it. */
  create(row: Partial<T>): Promise<T> {
    return this.#queries.insert<T>(this.#name, row);
  }

  /** Reads the row with this key, or returns `undefined` where there is none. */
  read(key: unknown): Promise<T | undefined> {
    return this.#queries.selectOne<T>(this.#name, { where: this.#where(key) });
  }

  /** Changes the row with this key and returns it, or `undefined` where there is none. */
  async update(key: unknown, changes: Partial<T>): Promise<T | undefined> {
    return (await this.#queries.update<T>(
      this.#name,
      changes,
      this.#where(key),
    ))[0];
  }

  /** Deletes the row with this key, and says whether there was one. */
  async delete(key: unknown): Promise<boolean> {
    return await this.#queries.delete(this.#name, this.#where(key)) > 0;
  }

  /** Reads rows. */
  list(options: SelectOptions = {}): Promise<T[]> {
    return this.#queries.select<T>(this.#name, options);
  }

  /** Counts rows. */
  count(options: CountOptions = {}): Promise<number> {
    return this.#queries.count(this.#name, options);
  }

  /** Says whether there is a row with this key. */
  async exists(key: unknown): Promise<boolean> {
    return await this.#queries.count(this.#name, { where: this.#where(key) }) >
      0;
  }

  /** Inserts a row, or updates the one that is there, and returns it. */
  upsert(
    row: Partial<T>,
    options: { conflict?: readonly string[] } = {},
  ): Promise<T> {
    const { conflict = [this.#key] } = options;
    return this.#queries.upsert<T>(this.#name, row, { conflict });
  }

  /** Inserts many rows of the same columns and returns them as the table has them. */
  batchCreate(
    rows: readonly Partial<T>[],
    options: BatchOptions = {},
  ): Promise<T[]> {
    return this.#queries.batchInsert<T>(this.#name, rows, {
      ...options,
      returning: ["*"],
    });
  }

  /** Changes many rows by their key, each to its own values, and returns how many. */
  batchUpdate(
    rows: readonly Partial<T>[],
    options: BatchOptions = {},
  ): Promise<number> {
    return this.#queries.batchUpdate(this.#name, rows, {
      ...options,
      key: this.#key,
    });
  }

  /** Deletes many rows by their key, and returns how many. */
  batchDelete(
    keys: readonly unknown[],
    options: BatchOptions = {},
  ): Promise<number> {
    return this.#queries.batchDelete(this.#name, keys, {
      ...options,
      key: this.#key,
    });
  }

  /**
   * Reads the table page by page, each from where the one before ended (keyset pagination). Every row
   * comes once; those in which the column to go by is NULL come last.
   *
   * @throws {RangeError} A size that isn't a whole number from 1.
   */
  pages(options: Omit<PagesOptions, "key"> = {}): AsyncGenerator<T[], void> {
    return this.#queries.pages<T>(this.#name, { ...options, key: this.#key });
  }

  #where(key: unknown): Where {
    return { [this.#key]: { op: "=", value: key } };
  }
}
