/**
 * A table by name: the CRUD methods for rows that are told apart by one key column.
 *
 * @module
 */

import type { Where } from "./conditions.ts";
import type { CountOptions, Row, SelectOptions } from "./crud.ts";
import { checkOptionNames } from "../driver/config.ts";
import type { BatchOptions } from "./batch.ts";
import { PAGES_OPTIONS, type PagesOptions } from "./pages.ts";
import type { BatchQueries } from "./batches.ts";
import { checkCallOptions, limitsOf, type QueryOptions } from "./limits.ts";

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
    checkOptionNames(options, ["key"]);
    const { key = "id" } = options;
    this.#queries = queries;
    this.#name = name;
    this.#key = key;
  }

  /** Inserts a row and returns it as the table has it. */
  create(row: Partial<T>, options: QueryOptions = {}): Promise<T> {
    return this.#queries.insert<T>(this.#name, row, options);
  }

  /** Reads the row with this key, or returns `undefined` where there is none. */
  async read(
    key: unknown,
    options: QueryOptions = {},
  ): Promise<T | undefined> {
    const where = this.#where(key);
    return await this.#queries.selectOne<T>(this.#name, {
      ...limitsOf(options),
      where,
    });
  }

  /** Changes the row with this key and returns it, or `undefined` where there is none. */
  async update(
    key: unknown,
    changes: Partial<T>,
    options: QueryOptions = {},
  ): Promise<T | undefined> {
    return (await this.#queries.update<T>(
      this.#name,
      changes,
      this.#where(key),
      limitsOf(options),
    ))[0];
  }

  /** Deletes the row with this key, and says whether there was one. */
  async delete(key: unknown, options: QueryOptions = {}): Promise<boolean> {
    const where = this.#where(key);
    return await this.#queries.delete(this.#name, where, limitsOf(options)) > 0;
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
  async exists(key: unknown, options: QueryOptions = {}): Promise<boolean> {
    const where = this.#where(key);
    return await this.#queries.count(this.#name, {
      ...limitsOf(options),
      where,
    }) > 0;
  }

  /** Inserts a row, or updates the one that is there, and returns it. */
  upsert(
    row: Partial<T>,
    options: QueryOptions & { conflict?: readonly string[] } = {},
  ): Promise<T> {
    const { conflict = [this.#key] } = options;
    return this.#queries.upsert<T>(this.#name, row, { ...options, conflict });
  }

  /** Inserts many rows of the same columns and returns them as the table has them. */
  async batchCreate(
    rows: readonly Partial<T>[],
    options: BatchOptions = {},
  ): Promise<T[]> {
    checkCallOptions(options, ["chunkSize"]);
    return await this.#queries.batchInsert<T>(this.#name, rows, {
      ...options,
      returning: ["*"],
    });
  }

  /** Changes many rows by their key, each to its own values, and returns how many. */
  async batchUpdate(
    rows: readonly Partial<T>[],
    options: BatchOptions = {},
  ): Promise<number> {
    checkCallOptions(options, ["chunkSize"]);
    return await this.#queries.batchUpdate(this.#name, rows, {
      ...options,
      key: this.#key,
    });
  }

  /** Deletes many rows by their key, and returns how many. */
  async batchDelete(
    keys: readonly unknown[],
    options: BatchOptions = {},
  ): Promise<number> {
    checkCallOptions(options, ["chunkSize"]);
    return await this.#queries.batchDelete(this.#name, keys, {
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
  async *pages(
    options: Omit<PagesOptions, "key"> = {},
  ): AsyncGenerator<T[], void> {
    checkCallOptions(options, PAGES_OPTIONS);
    yield* this.#queries.pages<T>(this.#name, { ...options, key: this.#key });
  }

  #where(key: unknown): Where {
    return { [this.#key]: { op: "=", value: key } };
  }
}
