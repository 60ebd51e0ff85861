/**
 * The columns of results that were seen before. A statement that is run again is described by the
 * same bytes; then its columns are the very same array, too, so that whoever decodes its rows can
 * keep what was prepared for them.
 *
 * @module
 */

import type { Column } from "./driver.ts";
import { parseColumns } from "./frames.ts";

interface Entry {
  readonly body: Uint8Array;
  readonly columns: readonly Column[];
}

/** Descriptions beyond this many bytes are rare, and aren't kept. */
const MAX_LENGTH = 8 * 1024;
const MAX_ENTRIES = 256;

/** Keeps the columns of one session. */
export class ColumnCache {
  #entries = new Map<number, Entry>();

  /**
   * Reads the body of a RowDescription.
   *
   * @param body The frame without its header.
   * @returns The columns; not to be changed, for others have them too.
   * @throws {RangeError} Where the body ends early.
   */
  read(body: Uint8Array): readonly Column[] {
    if (body.length > MAX_LENGTH) return parseColumns(body);
    const hash = hashOf(body);
    const known = this.#entries.get(hash);
    if (known !== undefined && isSame(known.body, body)) return known.columns;
    const columns = parseColumns(body);
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.clear();
    this.#entries.set(hash, { body: body.slice(), columns });
    return columns;
  }
}

/** FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) {
    hash = Math.imul(hash ^ bytes[at], 0x01000193);
  }
  return hash;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
