/**
 * The frames that are sent beside the driver's own or in their place: the first one of a session, a
 * statement with arguments, a request for TLS or for a cancellation, the good-bye. Pure functions
 * and constants.
 *
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 *
 * @module
 */

import type { ConnectionConfig } from "./driver.ts";

const encoder = new TextEncoder();

/** Asks a server whether it speaks TLS; it answers with one byte, `S` or `N`. */
export const SSL_REQUEST: Uint8Array<ArrayBuffer> = new Uint8Array(
  [0, 0, 0, 8, 4, 210, 22, 47],
);

/** Ends a session. */
export const TERMINATE: Uint8Array<ArrayBuffer> = frame("X", new Uint8Array());

/** Ends what was sent without one; the server then says that it is ready. */
export const SYNC: Uint8Array<ArrayBuffer> = frame("S", new Uint8Array());

/** An Execute of all rows of the portal, and a Sync. */
const EXECUTE_SYNC = Uint8Array.of(...frame("E", new Uint8Array(5)), ...SYNC);

/** A Describe of the portal, an Execute of all its rows, and a Sync. */
const DESCRIBE_EXECUTE_SYNC = Uint8Array.of(
  ...frame("D", encoder.encode("P\0")),
  ...EXECUTE_SYNC,
);

/** Closes a portal that has more rows. Without it CockroachDB takes no other statement. */
export const CLOSE_PORTAL: Uint8Array<ArrayBuffer> = Uint8Array.of(
  ...frame("C", encoder.encode("P\0")),
  ...SYNC,
);

/** What a statement's frames take beside its texts and names, an argument and a Close beside theirs. */
const STATEMENT_LENGTH = 5 + 4 + 5 + 8 + DESCRIBE_EXECUTE_SYNC.length;
const ARGUMENT_LENGTH = 4;
const CLOSE_LENGTH = 7;

/** The most bytes that UTF-8 takes for a UTF-16 code unit. */
const MAX_BYTES = 3;

/** How a statement is sent. */
export interface StatementOptions {
  /** A name of ASCII characters that it is parsed under, to be run again. Default: none. */
  readonly name?: string;
  /** Whether it was parsed under the name before, so that its text isn't sent. */
  readonly isParsed?: boolean;
  /** How many rows to ask for. Default: all. */
  readonly portion?: number;
  /** Names of ASCII characters that the server can forget. */
  readonly outdated?: readonly string[];
  /** Memory for the frames, where they fit; making some takes longer than filling it. */
  readonly memory?: Uint8Array<ArrayBuffer>;
}

/**
 * Builds the frames of one statement, with arguments or without, which are sent in text and whose types the
 * server finds out: Parse, Bind, Describe, Execute and Sync.
 *
 * @param text The statement.
 * @param args The arguments, no more than 65,535; `null` is NULL.
 * @param options How it is sent.
 */
export function statementFrames(
  text: string,
  args: readonly (string | null)[],
  options: StatementOptions = {},
): Uint8Array<ArrayBuffer> {
  const { name = "", isParsed = false, portion = 0, outdated = [], memory } =
    options;
  let size = STATEMENT_LENGTH + 2 * name.length + text.length * MAX_BYTES;
  for (const arg of args) {
    size += ARGUMENT_LENGTH + (arg === null ? 0 : arg.length * MAX_BYTES);
  }
  for (const { length } of outdated) size += CLOSE_LENGTH + length;
  const bytes = memory !== undefined && size <= memory.length
    ? memory
    : new Uint8Array(size);
  let at = 0;
  for (const name of outdated) at = putClose(bytes, at, name);
  if (!isParsed) at = putParse(bytes, at, name, text);
  at = putBind(bytes, at, name, args);
  bytes.set(DESCRIBE_EXECUTE_SYNC, at);
  at += DESCRIBE_EXECUTE_SYNC.length;
  putInt32(bytes, at - SYNC.length - 4, portion);
  return bytes.subarray(0, at);
}

/**
 * Builds the frames that ask for more rows of the statement before.
 *
 * @param portion How many.
 */
export function moreFrames(portion: number): Uint8Array<ArrayBuffer> {
  const bytes = EXECUTE_SYNC.slice();
  putInt32(bytes, bytes.length - SYNC.length - 4, portion);
  return bytes;
}

function putClose(bytes: Uint8Array, from: number, name: string): number {
  bytes[from] = 0x43;
  bytes[from + 5] = 0x53;
  return endFrame(bytes, from, putTerminated(bytes, from + 6, name));
}

/** The number of types is left at 0. */
function putParse(
  bytes: Uint8Array,
  from: number,
  name: string,
  text: string,
): number {
  bytes[from] = 0x50;
  const end = putTerminated(bytes, from + 5, name);
  return endFrame(
    bytes,
    from,
    putInt16(bytes, putTerminated(bytes, end, text), 0),
  );
}

/** The name of the portal and the formats are left empty. */
function putBind(
  bytes: Uint8Array,
  from: number,
  name: string,
  args: readonly (string | null)[],
): number {
  bytes[from] = 0x42;
  bytes[from + 5] = 0;
  let at = putInt16(bytes, putTerminated(bytes, from + 6, name), 0);
  at = putInt16(bytes, at, args.length);
  for (const arg of args) {
    const start = at + 4;
    at = arg === null ? start : putText(bytes, start, arg);
    putInt32(bytes, start - 4, arg === null ? -1 : at - start);
  }
  return endFrame(bytes, from, putInt16(bytes, at, 0));
}

/** Fills in a frame's length, and returns where it ends. */
function endFrame(bytes: Uint8Array, from: number, end: number): number {
  putInt32(bytes, from + 1, end - from - 1);
  return end;
}

function putTerminated(bytes: Uint8Array, at: number, text: string): number {
  const end = putText(bytes, at, text);
  bytes[end] = 0;
  return end + 1;
}

function putInt16(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
  return at + 2;
}

/** Up to this length a text is written faster without the encoder, if it is ASCII. */
const SHORT = 64;

/** Writes a text and returns where it ends. */
function putText(bytes: Uint8Array, at: number, text: string): number {
  const { length } = text;
  if (length <= SHORT) {
    let index = 0;
    for (; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) break;
      bytes[at + index] = code;
    }
    if (index === length) return at + length;
  }
  return at + encoder.encodeInto(text, bytes.subarray(at)).written;
}

function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

/**
 * Refuses to send the data that `COPY … FROM STDIN` asks for.
 *
 * @param reason What the server's error then says.
 */
export function copyFail(reason: string): Uint8Array<ArrayBuffer> {
  return frame("f", encoder.encode(`${reason}\0`));
}

/**
 * Answers what a server asks for while a session logs in.
 *
 * @param body The password with a zero byte at its end, or a message of a SASL mechanism.
 */
export function passwordMessage(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return frame("p", body);
}

/**
 * Chooses a SASL mechanism.
 *
 * @param mechanism Its name.
 * @param first The first message of its exchange.
 */
export function saslInitialResponse(
  mechanism: string,
  first: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const name = encoder.encode(`${mechanism}\0`);
  const body = new Uint8Array(name.length + 4 + first.length);
  body.set(name);
  putInt32(body, name.length, first.length);
  body.set(first, name.length + 4);
  return frame("p", body);
}

/**
 * Asks a server, on a connection of its own, to cancel what a session is doing.
 *
 * @param key The body of the session's BackendKeyData: process id and secret.
 */
export function cancelRequest(key: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + key.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length);
  view.setInt32(4, 80877102);
  bytes.set(key, 8);
  return bytes;
}

/**
 * Builds the first frame of a session. Settings travel as start-up parameters, which take any
 * value as it is; only `cluster` goes into `options`, where CockroachDB Cloud looks for it.
 * Dates are asked for in ISO form and floats with all their digits, whatever the server's or the
 * role's default: CockroachDB's cuts a FLOAT8 after 15 digits.
 *
 * @param config User, database, application name and settings.
 */
export function startupMessage(
  config: ConnectionConfig,
): Uint8Array<ArrayBuffer> {
  const { user, database, applicationName, sessionSettings } = config;
  const { cluster, ...settings } = sessionSettings;
  const parameters: Record<string, string> = {
    user,
    database,
    client_encoding: "UTF8",
    application_name: applicationName,
    DateStyle: "ISO",
    extra_float_digits: "3",
    ...settings,
  };
  if (cluster !== undefined) {
    parameters.options = `--cluster=${cluster.replace(/[\\\s]/g, "\\$&")}`;
  }
  const text = Object.entries(parameters)
    .map(([name, value]) => `${name}\0${value}\0`).join("");
  const body = encoder.encode(`${text}\0`);
  const bytes = new Uint8Array(8 + body.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length);
  view.setInt32(4, 0x30000);
  bytes.set(body, 8);
  return bytes;
}

function frame(type: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + body.length);
  bytes[0] = type.charCodeAt(0);
  new DataView(bytes.buffer).setInt32(1, body.length + 4);
  bytes.set(body, 5);
  return bytes;
}
