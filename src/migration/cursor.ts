/**
 * The cursor of a backfill, as the journal holds it: the last key that is done, and of what it is one.
 * Pure.
 *
 * @module
 */

import type { Backfill } from "./directive.ts";

/** Writes how far a backfill has come: up to and including a key. */
export function writeCursor({ table, key }: Backfill, last: string): string {
  return JSON.stringify([table, key, last]);
}

/** How far a backfill has come. */
export interface Cursor {
  /** The table, as the directive named it. */
  readonly table: string;
  /** The key's column, as the directive named it. */
  readonly key: string;
  /** The last key that is done. */
  readonly last: string;
}

/** Reads what {@linkcode writeCursor} wrote. */
export function readCursor(cursor: string): Cursor {
  const [table, key, last] = JSON.parse(cursor);
  return { table, key, last };
}
