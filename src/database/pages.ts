/**
 * Keyset pages: each page begins after the last row of the one before, whatever was written meanwhile.
 * Pure functions that write the statement of a page and read where it ended.
 *
 * @module
 */

import type { QueryResult } from "../driver/driver.ts";
import { quoteIdentifier } from "../sql.ts";
import type { Where } from "./conditions.ts";
import { selectStatement, type Statement } from "./crud.ts";
import type { QueryOptions } from "./limits.ts";
import { readOrder } from "./order.ts";
import type { RowInput } from "./row_input.ts";
import { TYPE_OIDS, unpadded } from "./type_oids.ts";

/** How a table is cut into pages. */
export interface PagesOptions extends QueryOptions {
  /** How many rows a page holds. Default: 100. */
  size?: number;
  /**
   * The column to go by, with `asc` or `desc` after it if you like; among rows that share a value
   * the key decides, and rows where it is NULL come last, by key. An odd name may stand in double
   * quotes, as it may in `select()`. Default: the key.
   */
  orderBy?: string;
  /** Conditions that all have to hold. */
  where?: Where | RowInput;
  /** The column that tells the rows apart. Default: `"id"`. */
  key?: string;
}

/** The names of {@linkcode PagesOptions}, without the limits and the key. */
export const PAGES_OPTIONS: readonly string[] = ["size", "orderBy", "where"];

/** The way through a table. */
export interface Keyset {
  /** The columns that order the rows: the last one is the key. */
  readonly columns: readonly string[];
  /** Whether it goes backwards. */
  readonly descending: boolean;
  /** How many rows a page holds. */
  readonly size: number;
  /** Conditions that all have to hold. */
  readonly where?: Where | RowInput;
}

/**
 * Reads the options.
 *
 * @throws {RangeError} A size that isn't a whole number from 1.
 * @throws {TypeError} An order by anything but one column.
 */
export function keysetOf(options: PagesOptions): Keyset {
  const { size = 100, key = "id", orderBy, where } = options;
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(
      `Cannot cut pages of ${size} rows: size is a whole number from 1`,
    );
  }
  const { column, descending } = orderBy === undefined
    ? { column: key, descending: false }
    : readOrderBy(orderBy);
  return {
    columns: column === key ? [key] : [column, key],
    descending,
    size,
    where,
  };
}

function readOrderBy(
  orderBy: string,
): { column: string; descending: boolean } {
  if (typeof orderBy !== "string") throw notOneColumn(orderBy);
  if (orderBy.trim() === "") {
    throw new TypeError(
      "Cannot cut pages: orderBy is empty; give a column, or leave it out",
    );
  }
  const [{ name: [column, ...rest], direction, nulls }, ...others] = readOrder(
    orderBy,
  );
  if (rest.length > 0 || others.length > 0) throw notOneColumn(orderBy);
  if (nulls === "NULLS FIRST") {
    throw new TypeError(
      `Cannot cut pages by "${orderBy}": rows without a value always come last; leave nulls first out`,
    );
  }
  return { column, descending: direction === "DESC" };
}

function notOneColumn(orderBy: unknown): TypeError {
  return new TypeError(
    `Cannot cut pages by "${orderBy}": that is not one column; give one, with asc or desc behind it if you like, and the key decides among equal values`,
  );
}

/** Where a page ended: the texts of the keyset's columns. */
export type PageEnd = readonly (string | null)[];

/** Where the rows with a value end, and those begin in which the column to go by is NULL. */
export const VALUES_END: PageEnd = [null];

/**
 * Writes the SELECT of a page. It reads the rows in which the column to go by has a value, or, after
 * an end where that is NULL, those without one.
 *
 * @param table The table.
 * @param options The way, and where the page before ended.
 */
export function pageStatement(
  table: string,
  options: Keyset & { after?: PageEnd },
): Statement {
  const { columns, descending, size, where, after = [] } = options;
  const names = columns.map(quoteIdentifier);
  const isTail = columns.length > 1 && after[0] === null;
  const ordering = isTail ? names.slice(1) : names;
  const params = isTail ? after.slice(1) : after;
  const places = params.map((_, index) => `$${index + 1}`).join(", ");
  const conditions = [
    ...names.slice(0, -1)
      .map((name) => `${name} IS ${isTail ? "NULL" : "NOT NULL"}`),
    ...(params.length === 0
      ? []
      : [`(${ordering.join(", ")}) ${descending ? "<" : ">"} (${places})`]),
  ];
  return selectStatement(table, {
    where,
    ...(conditions.length === 0
      ? {}
      : { whereClause: conditions.join(" AND ") }),
    params,
    orderBy: ordering.map((name) => `${name} ${descending ? "DESC" : "ASC"}`),
    limit: size,
  });
}

/**
 * Reads where a page ended, as the server's texts, which lose nothing: a `Date` would lose
 * microseconds, and the next page begin too early.
 *
 * @throws {TypeError} Where the rows lack a column to go by, as they do the server's hidden ones.
 */
export function endOfPage(
  { columns, rows }: QueryResult,
  keyset: Keyset,
): PageEnd {
  const last = rows[rows.length - 1];
  return keyset.columns.map((name) => {
    const index = columns.findIndex((column) => column.name === name);
    if (index < 0) {
      throw new TypeError(
        `Cannot go on after a page: its rows have no column "${name}"; go by one that isn't hidden`,
      );
    }
    const text = last[index];
    // CockroachDB would find it greater than what it has.
    return columns[index].typeOid === TYPE_OIDS.bpchar && text !== null
      ? unpadded(text)
      : text;
  });
}
