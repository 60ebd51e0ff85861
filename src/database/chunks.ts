/**
 * Cuts a batch into chunks: pure functions that end one at so many rows, or where its text would be
 * too long for one message to the server.
 *
 * @module
 */

/**
 * How many rows a chunk has where nothing else is said. For chunks of half the size CockroachDB takes
 * a tenth longer, and PostgreSQL as long; of far larger ones there are too few for the connections.
 */
export const CHUNK_SIZE = 2_000;
/**
 * CockroachDB takes no message of more than 16 MiB
 * (https://www.cockroachlabs.com/docs/stable/cluster-settings, `sql.conn.max_read_buffer_message_size`),
 * and in UTF-8, escaped, a text may be several times as long as its characters.
 */
const CHUNK_LENGTH = 4 * 1024 ** 2;
/** What a number or a time takes, and what stands around any value. */
const SHORT_LENGTH = 8;
const MAX_DEPTH = 100;
const SHORT_TYPE =
  /^(?:smallint|integer|bigint|real|double precision|boolean|uuid|date|time|timestamp|interval)\b[^[]*$/;

/** How a batch is cut. */
export interface ChunkOptions<T> {
  /** How many items a chunk has at most. Default: 2,000. */
  readonly chunkSize?: number;
  /** Says how long an item's text is, in characters and about. */
  readonly lengthOf: (item: T) => number;
}

/**
 * Cuts a batch. An item that is too long for a chunk has one of its own: the server may take it
 * nevertheless.
 *
 * @param items The batch.
 * @param options How it is cut.
 * @throws {RangeError} A size that isn't a whole number from 1.
 */
export function* chunks<T>(
  items: readonly T[],
  { chunkSize = CHUNK_SIZE, lengthOf }: ChunkOptions<T>,
): Generator<T[], void> {
  if (!Number.isSafeInteger(chunkSize) || chunkSize < 1) {
    throw new RangeError(
      `Cannot cut a batch by ${chunkSize}: chunkSize is a whole number from 1`,
    );
  }
  for (let start = 0, end = 0; start < items.length; start = end) {
    const last = Math.min(start + chunkSize, items.length);
    let length = lengthOf(items[end++]);
    for (; end < last; end++) {
      length += lengthOf(items[end]);
      if (length > CHUNK_LENGTH) break;
    }
    yield items.slice(start, end);
  }
}

/**
 * Says whether a value of a type can be long; to measure others would take time for nothing.
 *
 * @param type The SQL type of a column.
 */
export function canBeLong(type: string): boolean {
  return !SHORT_TYPE.test(type);
}

/**
 * Says how long the text of an argument is, in characters and about: finding that out exactly would
 * take as long as writing it.
 *
 * @param value The argument, as a JavaScript value.
 * @returns The length; of what is longer than a chunk, a part of it.
 */
export function textLength(value: unknown): number {
  return lengthWithin(value, CHUNK_LENGTH, 0);
}

/** What holds itself comes to an end here, and is refused later, when it is written. */
function lengthWithin(value: unknown, room: number, depth: number): number {
  if (typeof value === "string") return value.length + SHORT_LENGTH;
  if (typeof value !== "object" || value === null || depth === MAX_DEPTH) {
    return SHORT_LENGTH;
  }
  // Bytes are sent as hexadecimal digits.
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return 2 * value.byteLength + SHORT_LENGTH;
  }
  let length = SHORT_LENGTH;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && length <= room; index++) {
      length += lengthWithin(value[index], room - length, depth + 1);
    }
    return length;
  }
  const parts = value as Record<string, unknown>;
  for (const name of Object.keys(parts)) {
    if (length > room) break;
    length += name.length;
    length += lengthWithin(parts[name], room - length, depth + 1);
  }
  return length;
}
