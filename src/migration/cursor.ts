/**
 * The cursor of a backfill, as the journal holds it: the last key that is done, and of which statement.
 * Pure.
 *
 * @module
 */

import { foldedName } from "./bounds.ts";
import type { MigrationStatement } from "./section.ts";

/** How far a backfill has come. */
export interface Cursor {
  /** The table, as the directive named it. */
  readonly table: string;
  /** The key's column, as the directive named it. */
  readonly key: string;
  /** The last key that is done. */
  readonly last: string;
  /** The statement's hash; earlier notes have none. */
  readonly hash?: string;
  /** How many backfills by that key there were from the statement on; earlier notes don't say. */
  readonly count?: number;
}

/**
 * Writes how far a backfill has come: up to and including a key.
 *
 * @param statements The backfill, and what comes behind it.
 */
export function writeCursor(
  statements: readonly MigrationStatement[],
  last: string,
): string {
  const [{ directives, hash }] = statements;
  const { table, key } = directives.backfill!;
  const count = statements.filter(isBy({ table, key })).length;
  return JSON.stringify([table, key, last, hash, count]);
}

/** Reads what {@linkcode writeCursor} wrote. */
export function readCursor(cursor: string): Cursor {
  const [table, key, last, hash, count] = JSON.parse(cursor);
  return { table, key, last, hash, count };
}

/**
 * Says whether a cursor can only be that of the first of these statements. Its text may have been mended
 * since; but behind the key of another one it would leave out rows.
 */
export function belongsToFirst(
  { table, key, hash, count }: Cursor,
  statements: readonly MigrationStatement[],
): boolean {
  const [first, ...rest] = statements;
  const isSameKey = isBy({ table, key });
  if (first === undefined || !isSameKey(first)) return false;
  if (hash === undefined || first.hash === hash) return true;
  return statements.filter(isSameKey).length === count &&
    !rest.some((other) => other.hash === hash && isSameKey(other));
}

/** Says whether a statement is a backfill by a key of a table. */
function isBy({ table, key }: Pick<Cursor, "table" | "key">) {
  return ({ directives: { backfill } }: MigrationStatement): boolean =>
    backfill !== undefined &&
    foldedName(backfill.table) === foldedName(table) &&
    foldedName(backfill.key) === foldedName(key);
}
