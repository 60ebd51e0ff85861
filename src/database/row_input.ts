/**
 * What stands for a row, or for conditions, in a call: an object whose own properties are columns.
 *
 * @module
 */

/**
 * An object whose own properties are columns: a literal, or one that has the type of an interface or a
 * class. Arrays, maps, bytes, promises, dates and functions are none.
 */
export type RowInput =
  | Readonly<Record<string, unknown>>
  | (object & {
    readonly [Symbol.iterator]?: never;
    readonly [Symbol.toStringTag]?: never;
    readonly [Symbol.toPrimitive]?: never;
    readonly [Symbol.hasInstance]?: never;
  });

const FOREIGN_SYMBOLS = [
  Symbol.iterator,
  Symbol.toStringTag,
  Symbol.toPrimitive,
];

/**
 * Refuses what has no columns, for callers whom no compiler has checked: it would count as an empty row
 * or an empty condition.
 *
 * @param value What was given.
 * @param purpose The beginning of the sentence: `Cannot insert into users: the row`.
 * @throws {TypeError} Where it is no object, an array, or of a kind whose content isn't its properties.
 */
export function checkColumns(value: unknown, purpose: string): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const isForeign = Object.keys(value).length === 0 &&
      FOREIGN_SYMBOLS.some((symbol) => symbol in value);
    if (!isForeign) return;
  }
  throw new TypeError(
    `${purpose} is no object with columns; give one, such as { id: 1 }`,
  );
}
