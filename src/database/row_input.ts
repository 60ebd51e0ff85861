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
