/**
 * Rows to SQL: pure functions that write the statements of the CRUD methods. Identifiers are always
 * quoted, values are always bound.
 *
 * @module
 */

import { quoteIdentifier, quoteLiteral, quoteName } from "../sql.ts";
import { checkList, columnList } from "./columns.ts";
import { type Where, whereConditions } from "./conditions.ts";
import type { QueryOptions } from "./limits.ts";
import { orderTerms } from "./order.ts";
import { checkColumns, type RowInput } from "./row_input.ts";

/** A row of a result: column names and values. */
export type Row = Record<string, unknown>;

/** A statement and its arguments, as JavaScript values. */
export interface Statement {
  /** The SQL, with `$1` … for the arguments. */
  readonly text: string;
  /** The arguments. */
  readonly args: unknown[];
}

/** What {@linkcode Queries.select} reads. */
export interface SelectOptions extends QueryOptions {
  /** The columns; `*` is all. Default: all. */
  columns?: readonly string[];
  /** Conditions that all have to hold. */
  where?: Where | RowInput;
  /** A condition in SQL, with `$1` … for `params`; it holds beside `where`. */
  whereClause?: string;
  /** The arguments of `whereClause`. */
  params?: readonly unknown[];
  /**
   * Columns to sort by, such as `"name"` or `"created_at desc"`; several with commas or as an array. An
   * odd name may stand in double quotes, and has to where it has other signs than blanks in it.
   */
  orderBy?: string | readonly string[];
  /** The most rows to read. */
  limit?: number;
  /** How many rows to leave out first. */
  offset?: number;
  /** Reads the data as of this time: `"-10s"`, a timestamp, or `"follower_read_timestamp()"` (CockroachDB). */
  asOfSystemTime?: string;
  /** Locks the rows until the transaction ends. */
  forUpdate?: boolean;
}

/** What {@linkcode Queries.count} counts. */
export type CountOptions = Pick<
  SelectOptions,
  keyof QueryOptions | "where" | "whereClause" | "params" | "asOfSystemTime"
>;

/** The names of {@linkcode CountOptions}, without the limits. */
export const COUNT_OPTIONS: readonly string[] = [
  "where",
  "whereClause",
  "params",
  "asOfSystemTime",
];

/** The names of {@linkcode SelectOptions}, without the limits. */
export const SELECT_OPTIONS: readonly string[] = [
  ...COUNT_OPTIONS,
  ...["columns", "orderBy", "limit", "offset", "forUpdate"],
];

/** Whether a statement without conditions may touch every row. */
export interface AllOptions extends QueryOptions {
  /** Has to be `true` where the conditions are empty. */
  all?: boolean;
}

/** Writes an INSERT of one row. */
export function insertStatement(table: string, row: RowInput): Statement {
  checkColumns(row, `Cannot insert into ${table}: the row`);
  const { text, args } = insertion(table, row);
  return { text: `${text} RETURNING *`, args };
}

/** Writes an INSERT that updates the row which has the same values in the `conflict` columns. */
export function upsertStatement(
  table: string,
  row: RowInput,
  conflict: readonly string[],
): Statement {
  checkColumns(row, `Cannot upsert into ${table}: the row`);
  checkList(conflict, `Cannot upsert into ${table}: conflict`);
  if (conflict.length === 0) {
    throw new TypeError(
      `Cannot upsert into ${table}: it has no primary key; name the columns of a unique constraint in conflict`,
    );
  }
  const { text, args } = insertion(table, row);
  const rest = Object.keys(row).filter((column) => !conflict.includes(column));
  // Without another column to set, setting the key to itself still returns the row.
  const sets = (rest.length > 0 ? rest : conflict)
    .map((column) =>
      `${quoteIdentifier(column)} = excluded.${quoteIdentifier(column)}`
    )
    .join(", ");
  return {
    text: `${text} ON CONFLICT (${
      list(conflict)
    }) DO UPDATE SET ${sets} RETURNING *`,
    args,
  };
}

/** Writes a SELECT. */
export function selectStatement(
  table: string,
  options: SelectOptions = {},
): Statement {
  const { columns = ["*"], orderBy, limit, offset, forUpdate } = options;
  const names = columnList(columns, `Cannot read ${table}: columns`);
  if (names === "") {
    throw new TypeError(
      `Cannot read ${table}: columns is empty; name a column, or leave it out for all`,
    );
  }
  const { text: conditions, args } = conditionsOf(table, options);
  const parts = [`SELECT ${names} FROM ${quoteName(table)}`, conditions];
  const order = orderBy === undefined ? [] : [orderBy].flat();
  if (order.length > 0) {
    parts.push(`ORDER BY ${order.map(orderTerms).join(", ")}`);
  }
  if (limit !== undefined) parts.push(`LIMIT ${wholeNumber(limit, "limit")}`);
  if (offset !== undefined) {
    parts.push(`OFFSET ${wholeNumber(offset, "offset")}`);
  }
  if (forUpdate) parts.push("FOR UPDATE");
  return { text: parts.filter((part) => part !== "").join(" "), args };
}

/** Writes a SELECT of the number of rows. */
export function countStatement(
  table: string,
  options: CountOptions = {},
): Statement {
  const { text: conditions, args } = conditionsOf(table, options);
  return {
    text: `SELECT count(*) AS count FROM ${quoteName(table)} ${conditions}`
      .trimEnd(),
    args,
  };
}

/** Writes an UPDATE. */
export function updateStatement(
  table: string,
  changes: RowInput,
  options: AllOptions & { where: Where | RowInput },
): Statement {
  checkColumns(changes, `Cannot update ${table}: the row of changes`);
  const values = changes as Row;
  const columns = Object.keys(values);
  if (columns.length === 0) {
    throw new TypeError(
      `Cannot update ${table}: there are no changes; name a column and its value`,
    );
  }
  const args = columns.map((column) => defined(values[column], table, column));
  const sets = columns.map((column, index) =>
    `${quoteIdentifier(column)} = $${index + 1}`
  );
  return {
    text: `UPDATE ${quoteName(table)} SET ${sets.join(", ")}${
      restriction("update", table, options, args)
    } RETURNING *`,
    args,
  };
}

/** Writes a DELETE. */
export function deleteStatement(
  table: string,
  options: AllOptions & { where: Where | RowInput },
): Statement {
  const args: unknown[] = [];
  return {
    text: `DELETE FROM ${quoteName(table)}${
      restriction("delete from", table, options, args)
    }`,
    args,
  };
}

/** Writes the columns of a table to make. */
export function createTableStatement(
  table: string,
  columns: Record<string, string>,
  options: { ifNotExists?: boolean } = {},
): string {
  const definitions = Object.entries(columns)
    .map(([name, type]) => `${quoteIdentifier(name)} ${type}`);
  return `CREATE TABLE ${options.ifNotExists ? "IF NOT EXISTS " : ""}${
    quoteName(table)
  } (${definitions.join(", ")})`;
}

/** Writes a time for AS OF SYSTEM TIME: one of the functions meant for it, or a literal. */
export function systemTime(time: string): string {
  if (typeof time !== "string") {
    throw new TypeError(
      `Cannot read as of ${time}: a system time is text; give "-10s" or a timestamp as text`,
    );
  }
  const call =
    /^(follower_read_timestamp|with_min_timestamp|with_max_staleness)\(('[^'\\]*')?\)$/;
  return call.test(time) ? time : quoteLiteral(time);
}

function insertion(table: string, row: RowInput): Statement {
  const values = row as Row;
  const columns = Object.keys(values);
  const head = `INSERT INTO ${quoteName(table)}`;
  if (columns.length === 0) return { text: `${head} DEFAULT VALUES`, args: [] };
  const places = columns.map((_, index) => `$${index + 1}`).join(", ");
  return {
    text: `${head} (${list(columns)}) VALUES (${places})`,
    args: columns.map((column) => defined(values[column], table, column)),
  };
}

function conditionsOf(table: string, options: SelectOptions): Statement {
  const { where = {}, whereClause, params = [], asOfSystemTime } = options;
  checkColumns(where, `Cannot read ${table}: where`);
  const args = [...params];
  const conditions = [
    ...(whereClause === undefined ? [] : [`(${whereClause})`]),
    ...(Object.keys(where).length === 0 ? [] : [whereConditions(where, args)]),
  ];
  const parts = [
    ...(asOfSystemTime === undefined
      ? []
      : [`AS OF SYSTEM TIME ${systemTime(asOfSystemTime)}`]),
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(" AND ")}`]),
  ];
  return { text: parts.join(" "), args };
}

function restriction(
  verb: string,
  table: string,
  options: AllOptions & { where?: Where | RowInput },
  args: unknown[],
): string {
  const { where = {}, all } = options;
  checkColumns(where, `Cannot ${verb} ${table}: where`);
  if (Object.keys(where).length > 0) {
    return ` WHERE ${whereConditions(where, args)}`;
  }
  if (all) return "";
  throw new TypeError(
    `Cannot ${verb} every row of ${table} by an empty where: give a condition, or { all: true } if every row is meant`,
  );
}

function wholeNumber(value: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(
      `Cannot use the ${name} ${value}: give a whole number from 0`,
    );
  }
  return value;
}

function defined(value: unknown, table: string, column: string): unknown {
  if (value !== undefined) return value;
  throw new TypeError(
    `Cannot write ${table}.${column}: its value is undefined; leave the column out, or give null for NULL`,
  );
}

function list(columns: readonly string[]): string {
  return columns.map(quoteIdentifier).join(", ");
}
