/**
 * Many rows to few statements: pure functions that cut batches into chunks, and send each chunk's
 * columns as arrays through `unnest`, so that a statement has one argument a column however many
 * rows it carries.
 *
 * @module
 */

import { quoteIdentifier, quoteName } from "../sql.ts";
import { columnList } from "./columns.ts";
import { canBeLong, CHUNK_SIZE, chunks, textLength } from "./chunks.ts";
import type { Row, Statement } from "./crud.ts";
import type { QueryOptions } from "./limits.ts";
import type { RowInput } from "./row_input.ts";
import { JsonValue } from "./values.ts";

/** How a batch is cut. */
export interface BatchOptions extends QueryOptions {
  /** How many rows a statement carries at most; fewer where they make 4 MiB of text. Default: 2,000. */
  chunkSize?: number;
}

/** The wire counts a statement's arguments in 16 bits. */
const MAX_ARGUMENTS = 65_535;
const JSON_TYPES = ["json", "jsonb"];

/** Rows that have the same columns; one row at least. Made by {@linkcode batchOf}. */
export interface Batch {
  /** The table that they belong to. */
  readonly table: string;
  /** The rows. */
  readonly rows: readonly Row[];
  /** Their columns. */
  readonly columns: readonly string[];
}

/**
 * Looks at the rows of a batch, and keeps the list: the caller may use his for something else.
 *
 * @throws {TypeError} Where they are no objects, differ in their columns, have none, or hold
 * `undefined`.
 */
export function batchOf(table: string, rows: readonly RowInput[]): Batch {
  checkList(table, rows, "rows");
  rows.forEach((row, index) => {
    if (typeof row === "object" && row !== null) return;
    throw new TypeError(
      `Cannot write row ${index} of the batch to ${table}: it is no object; give one, such as { id: 1 }`,
    );
  });
  const kept = [...rows] as Row[];
  return { table, rows: kept, columns: columnsOf(table, kept) };
}

function checkList(table: string, list: unknown, name: string): void {
  if (Array.isArray(list)) return;
  throw new TypeError(
    `Cannot use the ${name} of the batch for ${table}: they are no array; give them as one`,
  );
}

/** Writes the INSERTs of a batch, each when it is asked for: the first is on its way meanwhile. */
export function* batchInsertStatements(
  batch: Batch,
  types: ReadonlyMap<string, string>,
  options: BatchOptions & { returning?: true | readonly string[] } = {},
): Generator<Statement, void> {
  const { table, columns } = batch;
  const names = columns.map(quoteIdentifier).join(", ");
  const tail = returningClause(options.returning);
  const head = `INSERT INTO ${quoteName(table)} (${names})`;
  const columnTypes = columns.map((column) => typeOf(table, column, types));
  // unnest() flattens arrays of arrays, so rows with an array column go in as plain VALUES.
  if (columnTypes.some(isArrayType)) {
    const chunkSize = valuesChunk(options, columns.length);
    for (const chunk of cut(batch, columnTypes, chunkSize)) {
      yield {
        text: `${head} VALUES ${places(chunk.length, columns.length)}${tail}`,
        args: cells(chunk, columns, columnTypes),
      };
    }
    return;
  }
  const text = `${head} SELECT * FROM unnest(${arrays(columnTypes)})${tail}`;
  for (const chunk of cut(batch, columnTypes, options.chunkSize)) {
    yield { text, args: columnArrays(chunk, columns, columnTypes) };
  }
}

/** Writes the UPDATEs of a batch, each when it is asked for. */
export function* batchUpdateStatements(
  batch: Batch,
  types: ReadonlyMap<string, string>,
  options: BatchOptions & { key?: string } = {},
): Generator<Statement, void> {
  const { table, columns } = batch;
  const { key = "id" } = options;
  if (!columns.includes(key)) {
    throw new TypeError(
      `Cannot update ${table} in a batch: the rows have no "${key}"; add it, or name the key column in key`,
    );
  }
  const changed = columns.filter((column) => column !== key);
  if (changed.length === 0) {
    throw new TypeError(
      `Cannot update ${table} in a batch: the rows hold nothing but "${key}"; add the values to set`,
    );
  }
  const columnTypes = columns.map((column) => typeOf(table, column, types));
  const target = quoteName(table);
  const sets = changed
    .map((column) =>
      `${quoteIdentifier(column)} = batch.${quoteIdentifier(column)}`
    )
    .join(", ");
  const names = columns.map(quoteIdentifier).join(", ");
  const match = `batch.${quoteIdentifier(key)} = target.${
    quoteIdentifier(key)
  }`;
  const write = (source: string) =>
    `UPDATE ${target} AS target SET ${sets} FROM ${source} AS batch (${names}) WHERE ${match}`;
  if (columnTypes.some(isArrayType)) {
    const chunkSize = valuesChunk(options, columns.length);
    for (const chunk of cut(batch, columnTypes, chunkSize)) {
      const values = places(chunk.length, columns.length, columnTypes);
      yield {
        text: write(`(VALUES ${values})`),
        args: cells(chunk, columns, columnTypes),
      };
    }
    return;
  }
  const text = write(`unnest(${arrays(columnTypes)})`);
  for (const chunk of cut(batch, columnTypes, options.chunkSize)) {
    yield { text, args: columnArrays(chunk, columns, columnTypes) };
  }
}

/** Writes the DELETEs of a batch, each when it is asked for. */
export function* batchDeleteStatements(
  table: string,
  keys: readonly unknown[],
  types: ReadonlyMap<string, string>,
  options: BatchOptions & { key?: string } = {},
): Generator<Statement, void> {
  const { key = "id" } = options;
  checkList(table, keys, "keys");
  const type = typeOf(table, key, types);
  const text = `DELETE FROM ${quoteName(table)} WHERE ${
    quoteIdentifier(key)
  } = ANY($1::${type}[])`;
  const { chunkSize } = options;
  for (const chunk of chunks(keys, { chunkSize, lengthOf: textLength })) {
    yield { text, args: [chunk] };
  }
}

function returningClause(returning: true | readonly string[] = []): string {
  const columns = returning === true ? ["*"] : returning;
  const names = columnList(columns, "Cannot use returning: it");
  return names === "" ? "" : ` RETURNING ${names}`;
}

function columnsOf(table: string, rows: readonly Row[]): string[] {
  const columns = Object.keys(rows[0]);
  if (columns.length === 0) {
    throw new TypeError(
      `Cannot write the batch to ${table}: its rows have no columns; use insert() for rows of defaults`,
    );
  }
  rows.forEach((row, index) => {
    if (!hasColumns(row, columns)) {
      throw new TypeError(
        `Cannot write row ${index} of the batch to ${table}: its columns are ${
          Object.keys(row).join(", ")
        }, those of row 0 are ${
          columns.join(", ")
        }; give every row the same ones`,
      );
    }
    for (const column of columns) {
      if (row[column] !== undefined) continue;
      throw new TypeError(
        `Cannot write row ${index} of the batch to ${table}: ${column} is undefined; give null for NULL`,
      );
    }
  });
  return columns;
}

/** Whether a row has these columns and no other; the same order, as nearly all have, is seen fast. */
function hasColumns(row: Row, columns: readonly string[]): boolean {
  const names = Object.keys(row);
  return names.length === columns.length &&
    names.every((name, index) =>
      name === columns[index] || columns.includes(name)
    );
}

function typeOf(
  table: string,
  column: string,
  types: ReadonlyMap<string, string>,
): string {
  const type = types.get(column);
  if (type !== undefined) return type;
  throw new TypeError(
    `Cannot write ${table}.${column}: there is no such column; it has ${
      [...types.keys()].join(", ")
    }`,
  );
}

function isArrayType(type: string): boolean {
  return type.endsWith("[]");
}

function columnArrays(
  chunk: readonly Row[],
  columns: readonly string[],
  types: readonly string[],
): unknown[][] {
  return columns.map((column, index) => {
    const type = types[index];
    return JSON_TYPES.includes(type)
      ? chunk.map((row) => cell(row[column], type))
      : chunk.map((row) => row[column]);
  });
}

function cells(
  chunk: readonly Row[],
  columns: readonly string[],
  types: readonly string[],
): unknown[] {
  return chunk.flatMap((row) =>
    columns.map((column, index) => cell(row[column], types[index]))
  );
}

/** In a JSON column an array is JSON: an SQL array can't be stored there. */
function cell(value: unknown, type: string): unknown {
  return JSON_TYPES.includes(type) && Array.isArray(value)
    ? new JsonValue(value)
    : value;
}

function arrays(types: readonly string[]): string {
  return types.map((type, index) => `$${index + 1}::${type}[]`).join(", ");
}

function places(
  rows: number,
  columns: number,
  types?: readonly string[],
): string {
  return Array.from(
    { length: rows },
    (_, row) =>
      `(${
        Array.from(
          { length: columns },
          (_, column) =>
            `$${row * columns + column + 1}${
              types ? `::${types[column]}` : ""
            }`,
        ).join(", ")
      })`,
  ).join(", ");
}

function cut(
  { rows, columns }: Batch,
  types: readonly string[],
  chunkSize: number | undefined,
): Generator<Row[], void> {
  const long = columns.filter((_, index) => canBeLong(types[index]));
  const lengthOf = (row: Row) => {
    let length = 0;
    for (const column of long) length += textLength(row[column]);
    return length;
  };
  return chunks(rows, { chunkSize, lengthOf });
}

function valuesChunk(
  { chunkSize = CHUNK_SIZE }: BatchOptions,
  columns: number,
): number {
  return Math.min(chunkSize, Math.floor(MAX_ARGUMENTS / columns));
}
