/**
 * How the frames are read that a server sends (PostgreSQL's wire protocol 3.0), as pure functions.
 *
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 *
 * @module
 */

import type {
  Column,
  TextRow,
  TransactionStatus,
  WireFields,
} from "./driver.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const latin1 = new TextDecoder("latin1");

/** The bytes that every frame but the first of a connection starts with: its type and length. */
export const HEADER_LENGTH = 5;

/** The types of the server's frames that are read here. */
export const FRAME = {
  authentication: 0x52,
  backendKey: 0x4b,
  bindComplete: 0x32,
  commandComplete: 0x43,
  copyIn: 0x47,
  copyOut: 0x48,
  dataRow: 0x44,
  emptyQuery: 0x49,
  error: 0x45,
  notice: 0x4e,
  parameterStatus: 0x53,
  portalSuspended: 0x73,
  ready: 0x5a,
  rowDescription: 0x54,
} as const;

/**
 * Reads the body of a RowDescription.
 *
 * @param body The frame without its header.
 * @throws {RangeError} Where the body ends early.
 */
export function parseColumns(body: Uint8Array): Column[] {
  const view = viewOf(body);
  const columns: Column[] = [];
  let at = 2;
  for (let left = view.getUint16(0); left > 0; left--) {
    const end = endOfText(body, at);
    const name = textOf(body.subarray(at, end));
    // After the name: the table (4 bytes), its column (2), then the type.
    columns.push({ name, typeOid: view.getUint32(end + 7) });
    at = end + 19;
  }
  if (at > body.length) throw new RangeError("The frame ends early");
  return columns;
}

/** Rows that were cut out of a stream, and where the cut ended. */
export interface DecodedRows {
  /** The rows. */
  rows: TextRow[];
  /** The offset behind the last row that was taken. */
  end: number;
}

/**
 * Takes the whole DataRow frames that a buffer starts with.
 *
 * The bytes are turned into text once for all rows, and cells are parts of that text; only cells
 * with a byte beyond ASCII are decoded on their own. That is four times as fast as decoding cell
 * by cell.
 *
 * @param bytes Frames, of which the last one may be cut short.
 * @param limit The number of rows to take at most.
 * @throws {RangeError} Where a cell reaches beyond its frame.
 */
export function decodeRows(bytes: Uint8Array, limit: number): DecodedRows {
  const view = viewOf(bytes);
  const ends: number[] = [];
  let end = 0;
  while (
    ends.length < limit && end + HEADER_LENGTH <= bytes.length &&
    bytes[end] === FRAME.dataRow
  ) {
    const next = end + 1 + view.getInt32(end + 1);
    if (next > bytes.length || next <= end) break;
    ends.push(end = next);
  }
  const text = latin1Of(bytes.subarray(0, end));
  const rows: TextRow[] = new Array(ends.length);
  let at = 0;
  for (let index = 0; index < ends.length; index++) {
    const cells: TextRow = new Array(view.getUint16(at + HEADER_LENGTH));
    const frameEnd = ends[index];
    at += HEADER_LENGTH + 2;
    for (let cell = 0; cell < cells.length; cell++) {
      const start = at + 4;
      const length = start > frameEnd ? Infinity : view.getInt32(at);
      at = start + Math.max(length, 0);
      if (at > frameEnd) throw new RangeError("A cell leaves its frame");
      if (length < 0) {
        cells[cell] = null;
        continue;
      }
      let seen = 0;
      for (let byte = start; byte < at; byte++) seen |= bytes[byte];
      cells[cell] = seen < 0x80
        ? text.substring(start, at)
        : utf8.decode(bytes.subarray(start, at));
    }
    if (at !== frameEnd) throw new RangeError("A row does not fill its frame");
    rows[index] = cells;
  }
  return { rows, end };
}

const FIELDS: Readonly<Record<string, keyof WireFields>> = {
  S: "severity",
  V: "severity",
  C: "code",
  M: "message",
  D: "detail",
  H: "hint",
  P: "position",
  s: "schema",
  t: "table",
  c: "column",
  d: "dataType",
  n: "constraint",
  W: "where",
  q: "internalQuery",
  p: "internalPosition",
  F: "file",
  L: "line",
  R: "routine",
};

const NUMBERS: readonly string[] = ["position", "internalPosition", "line"];

/**
 * Reads the body of an ErrorResponse or a NoticeResponse. Of the two severities the one that isn't
 * translated wins; fields that aren't known are left out.
 *
 * @param body The frame without its header.
 * @throws {RangeError} Where the fields don't end with the body: a reader that relies on the zero
 * bytes, as the drivers' do, would look for them for ever.
 */
export function parseFields(body: Uint8Array): WireFields {
  const fields: Record<string, string | number> = {
    severity: "ERROR",
    code: "XX000",
    message: "",
  };
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const end = endOfText(body, at + 1);
    const name = FIELDS[String.fromCharCode(body[at])];
    const value = utf8.decode(body.subarray(at + 1, end));
    if (name !== undefined) {
      fields[name] = NUMBERS.includes(name) ? Number(value) : value;
    }
    at = end + 1;
  }
  if (at !== body.length - 1) throw new RangeError("The fields have no end");
  return fields as unknown as WireFields;
}

/**
 * Reads the body of a ParameterStatus.
 *
 * @param body The frame without its header.
 * @returns The parameter's name and value.
 */
export function parseParameter(body: Uint8Array): [string, string] {
  const [name = "", value = ""] = textOf(body).split("\0");
  return [name, value];
}

/** What a command tag says. */
export interface CommandTag {
  /** The tag's words, such as `INSERT` or `CREATE TABLE`. */
  command: string;
  /** Its last number; 0 where it has none. */
  rowCount: number;
}

/**
 * Reads the body of a CommandComplete.
 *
 * @param body The frame without its header.
 */
export function parseCommandTag(body: Uint8Array): CommandTag {
  const tag = textOf(body.subarray(0, endOfText(body, 0)));
  let end = tag.length;
  while (end > 0 && tag.charCodeAt(end - 1) <= DIGIT_NINE) end--;
  const rowCount = end < tag.length ? tag.slice(tag.lastIndexOf(" ") + 1) : 0;
  return { command: tag.slice(0, end), rowCount: Number(rowCount) };
}

/** Of a tag's characters, only digits and spaces are no greater. */
const DIGIT_NINE = 0x39;

const STATUS: Readonly<Record<string, TransactionStatus>> = {
  I: "idle",
  T: "open",
  E: "failed",
};

/**
 * Reads the body of a ReadyForQuery.
 *
 * @param body The frame without its header.
 * @throws {RangeError} Where it names no known state.
 */
export function parseStatus(body: Uint8Array): TransactionStatus {
  const status = STATUS[textOf(body)];
  if (status === undefined) throw new RangeError("The state is unknown");
  return status;
}

/** Up to this length a text is made faster without a decoder. */
const SHORT = 64;

function textOf(bytes: Uint8Array): string {
  return bytes.length <= SHORT && isAscii(bytes)
    ? latin1Of(bytes)
    : utf8.decode(bytes);
}

function latin1Of(bytes: Uint8Array): string {
  return bytes.length <= SHORT
    ? String.fromCharCode.apply(null, bytes as unknown as number[])
    : latin1.decode(bytes);
}

function isAscii(bytes: Uint8Array): boolean {
  let seen = 0;
  for (let at = 0; at < bytes.length; at++) seen |= bytes[at];
  return seen < 0x80;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function endOfText(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(0, from);
  return end === -1 ? bytes.length : end;
}
