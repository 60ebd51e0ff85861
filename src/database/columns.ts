/**
 * Lists of columns, as callers give them.
 *
 * @module
 */

import { quoteIdentifier } from "../sql.ts";

/**
 * Writes a list of columns to return; `*` stands for all.
 *
 * @param columns The columns' names.
 * @param purpose The beginning of the sentence that refuses them: `Cannot read users: columns`.
 * @throws {TypeError} Where they are no array.
 */
export function columnList(
  columns: readonly string[],
  purpose: string,
): string {
  checkList(columns, purpose);
  return columns.map((name) => name === "*" ? name : quoteIdentifier(name))
    .join(", ");
}

/**
 * Refuses columns that are no array, for callers whom no compiler has checked.
 *
 * @param columns What was given.
 * @param purpose The beginning of the sentence.
 * @throws {TypeError} Where they are none.
 */
export function checkList(columns: unknown, purpose: string): void {
  if (Array.isArray(columns)) return;
  throw new TypeError(
    `${purpose} is no list of columns; give one, such as ["id"]`,
  );
}
