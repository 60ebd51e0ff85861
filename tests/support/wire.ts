/**
 * PostgreSQL's wire protocol 3.0 for tests: builders of frames, and a splitter that cuts a byte
 * stream into them. Pure, and written apart from `src/`, so that neither can hide the other's fault.
 *
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 *
 * @module
 */

import type { WireFields } from "../../src/driver/driver.ts";

/** Who sends a frame. */
export type Direction = "client" | "server";

/** A whole frame. */
export interface Frame {
  /** Its name in PostgreSQL's documentation; `AuthenticationRequest` for all of those. */
  type: string;
  /** All of its bytes. */
  bytes: Uint8Array;
  /** What follows the type and the length. */
  body: Uint8Array;
}

/** The fields of an error or notice that a test gives. */
export type Fields = Partial<WireFields> & { code: string; message: string };

const CLIENT_TYPES: Readonly<Record<string, string>> = {
  B: "Bind",
  C: "Close",
  c: "CopyDone",
  d: "CopyData",
  D: "Describe",
  E: "Execute",
  f: "CopyFail",
  H: "Flush",
  p: "PasswordMessage",
  P: "Parse",
  Q: "Query",
  S: "Sync",
  X: "Terminate",
};

const SERVER_TYPES: Readonly<Record<string, string>> = {
  "1": "ParseComplete",
  "2": "BindComplete",
  "3": "CloseComplete",
  A: "NotificationResponse",
  c: "CopyDone",
  C: "CommandComplete",
  d: "CopyData",
  D: "DataRow",
  E: "ErrorResponse",
  G: "CopyInResponse",
  H: "CopyOutResponse",
  I: "EmptyQueryResponse",
  K: "BackendKeyData",
  n: "NoData",
  N: "NoticeResponse",
  R: "AuthenticationRequest",
  s: "PortalSuspended",
  S: "ParameterStatus",
  t: "ParameterDescription",
  T: "RowDescription",
  Z: "ReadyForQuery",
};

/** The first frame of a connection has no type, but a number. */
const FIRST_TYPES: Readonly<Record<number, string>> = {
  196608: "StartupMessage",
  80877102: "CancelRequest",
  80877103: "SSLRequest",
  80877104: "GSSENCRequest",
};

const FIELD_CODES: Readonly<Record<keyof WireFields, string>> = {
  severity: "S",
  code: "C",
  message: "M",
  detail: "D",
  hint: "H",
  position: "P",
  where: "W",
  schema: "s",
  table: "t",
  column: "c",
  dataType: "d",
  constraint: "n",
  internalQuery: "q",
  internalPosition: "p",
  file: "F",
  line: "L",
  routine: "R",
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Puts byte arrays together. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Builds a frame.
 *
 * @param letter The type's letter; `""` for the first frame of a connection.
 * @param parts The body: texts end with a zero byte here, numbers are 32 bits.
 */
export function frame(
  letter: string,
  ...parts: (string | number | Uint8Array)[]
): Uint8Array<ArrayBuffer> {
  const body = concat(
    parts.map((part) =>
      typeof part === "string"
        ? encoder.encode(`${part}\0`)
        : typeof part === "number"
        ? int32(part)
        : part
    ),
  );
  return concat([encoder.encode(letter), int32(body.length + 4), body]);
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

function int16(value: number): Uint8Array {
  return int32(value).subarray(2);
}

/** Builds a CancelRequest. */
export const cancelRequest = (pid: number, secret: number): Uint8Array =>
  frame("", 80877102, pid, secret);
/** Builds a Query. */
export const query = (text: string): Uint8Array => frame("Q", text);
/** Builds a Parse without parameter types. */
export const parse = (text: string, name = ""): Uint8Array =>
  frame("P", name, text, int16(0));
/** Builds AuthenticationOk. */
export const authenticationOk = (): Uint8Array => frame("R", 0);
/** Builds AuthenticationCleartextPassword. */
export const askForPassword = (): Uint8Array => frame("R", 3);
/** Builds a ParameterStatus. */
export const parameterStatus = (name: string, value: string): Uint8Array =>
  frame("S", name, value);
/** Builds a BackendKeyData. */
export const backendKeyData = (pid: number, secret: number): Uint8Array =>
  frame("K", pid, secret);
/** Builds a ReadyForQuery: idle, in a transaction, or in a failed one. */
export const readyForQuery = (status: "I" | "T" | "E" = "I"): Uint8Array =>
  frame("Z", encoder.encode(status));
/** Builds a CommandComplete. */
export const commandComplete = (tag: string): Uint8Array => frame("C", tag);
/** Builds an ErrorResponse. */
export const errorResponse = (fields: Fields): Uint8Array =>
  frame("E", fieldsBody({ severity: "ERROR", ...fields }));
/** Builds a NoticeResponse. */
export const noticeResponse = (fields: Fields): Uint8Array =>
  frame("N", fieldsBody({ severity: "NOTICE", ...fields }));
/** Builds ParseComplete and BindComplete. */
export const bound = (): Uint8Array => concat([frame("1"), frame("2")]);

function fieldsBody(fields: Fields): Uint8Array {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) =>
      `${FIELD_CODES[name as keyof WireFields]}${value}\0`
    );
  return encoder.encode(`${parts.join("")}V${fields.severity}\0\0`);
}

/** Builds a RowDescription of columns of one type, `text` (25) unless told otherwise. */
export function rowDescription(
  names: readonly string[],
  typeOid = 25,
): Uint8Array {
  const columns = names.map((name) =>
    concat([
      encoder.encode(`${name}\0`),
      ...[int32(0), int16(0), int32(typeOid)],
      ...[int16(-1), int32(-1), int16(0)],
    ])
  );
  return frame("T", int16(names.length), ...columns);
}

/** Builds a DataRow. */
export function dataRow(cells: readonly (string | null)[]): Uint8Array {
  const parts = cells.map((cell) => {
    if (cell === null) return int32(-1);
    const bytes = encoder.encode(cell);
    return concat([int32(bytes.length), bytes]);
  });
  return frame("D", int16(cells.length), ...parts);
}

/** Builds what a server says after a log-in without a password. */
export function greeting(
  parameters: Readonly<Record<string, string>> = {},
): Uint8Array {
  const reported = { server_version: "13.0.0", ...parameters };
  return concat([
    authenticationOk(),
    ...Object.entries(reported).map(([name, value]) =>
      parameterStatus(name, value)
    ),
    backendKeyData(7, 42),
    readyForQuery(),
  ]);
}

/**
 * Gives the SQL of a Query or Parse.
 *
 * @returns The text; `undefined` for other frames.
 */
export function statementOf(frame: Frame): string | undefined {
  if (frame.type !== "Query" && frame.type !== "Parse") return undefined;
  const texts = decoder.decode(frame.body).split("\0");
  return texts[frame.type === "Query" ? 0 : 1];
}

/** Gives the SQLSTATE of an ErrorResponse or NoticeResponse. */
export function codeOf(frame: Frame): string | undefined {
  return decoder.decode(frame.body).split("\0")
    .find((field) => field.startsWith("C"))?.slice(1);
}

/** Cuts the bytes of one direction of a connection into frames. */
export class FrameSplitter {
  #direction: Direction;
  #rest = new Uint8Array();
  #started: boolean;

  /**
   * Makes a splitter for a fresh connection.
   *
   * @param direction Whose bytes they are.
   */
  constructor(direction: Direction) {
    this.#direction = direction;
    this.#started = direction === "server";
  }

  /** Adds bytes and gives the frames that are whole now. */
  push(bytes: Uint8Array): Frame[] {
    this.#rest = concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    for (;;) {
      const typed = this.#started ? 1 : 0;
      if (this.#rest.length < typed + 4) return frames;
      const view = new DataView(this.#rest.buffer);
      const length = typed + view.getInt32(typed);
      if (this.#rest.length < length) return frames;
      const whole = this.#rest.slice(0, length);
      this.#rest = this.#rest.slice(length);
      const type = this.#typeOf(whole);
      if (type === "StartupMessage") this.#started = true;
      frames.push({ type, bytes: whole, body: whole.subarray(typed + 4) });
    }
  }

  #typeOf(bytes: Uint8Array): string {
    if (!this.#started) {
      const number = new DataView(bytes.buffer).getInt32(4);
      return FIRST_TYPES[number] ?? `Unknown(${number})`;
    }
    const types = this.#direction === "client" ? CLIENT_TYPES : SERVER_TYPES;
    const letter = String.fromCharCode(bytes[0]);
    return types[letter] ?? `Unknown(${letter})`;
  }
}
