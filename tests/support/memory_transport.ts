/**
 * A transport on a connection in memory, and answers that it reads as deno-postgres does.
 *
 * @module
 */

import { Answer } from "../../src/driver/answer.ts";
import type { ByteStream } from "../../src/driver/socket.ts";
import { Transport } from "../../src/driver/transport.ts";
import {
  authenticationOk,
  backendKeyData,
  bound,
  commandComplete,
  concat,
  dataRow,
  frame,
  noticeResponse,
  parameterStatus,
  readyForQuery,
  rowDescription,
} from "./wire.ts";

/** The frame that a session begins with. */
export const STARTUP = frame("", 196608, "user", "root", new Uint8Array(1));
/** What a server says once a session is logged in. */
export const GREETING = concat([
  authenticationOk(),
  parameterStatus("crdb_version", "v25"),
  backendKeyData(7, 8),
  readyForQuery(),
]);

/** A connection in memory: what the server says is pushed, what it hears is kept. */
export class MemoryStream implements ByteStream {
  /** What it was written. */
  readonly heard: Uint8Array[] = [];
  /** How often it was read from. */
  reads = 0;
  /** Whether it was closed. */
  closed = false;
  /** Whether it keeps the process alive. */
  alive = true;
  #chunks: (Uint8Array | null | Error)[] = [];
  #wake = () => {};

  /** Says something: bytes, the end (`null`), or a failure. */
  push(...chunks: (Uint8Array | null | Error)[]): void {
    this.#chunks.push(...chunks);
    this.#wake();
  }

  /** Gives what is said, as soon as something is. */
  async read(buffer: Uint8Array): Promise<number | null> {
    this.reads++;
    while (this.#chunks.length === 0) {
      if (this.closed) throw new Deno.errors.BadResource("closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#chunks.shift()!;
    if (chunk instanceof Error) throw chunk;
    if (chunk === null) return null;
    const part = chunk.subarray(0, buffer.length);
    buffer.set(part);
    if (part.length < chunk.length) {
      this.#chunks.unshift(chunk.subarray(part.length));
    }
    return part.length;
  }

  /** Keeps what it hears. */
  write(bytes: Uint8Array): Promise<void> {
    this.heard.push(bytes);
    return Promise.resolve();
  }

  /** Ends it, and whoever reads from it. */
  close(): void {
    this.closed = true;
    this.#wake();
  }

  /** Notes whether it keeps the process alive. */
  hold(alive: boolean): void {
    this.alive = alive;
  }
}

/** Reads as deno-postgres does: a header, then a body. */
async function readFrame(transport: Transport): Promise<string> {
  const header = new Uint8Array(5);
  await readFull(transport, header);
  await readFull(
    transport,
    new Uint8Array(new DataView(header.buffer).getInt32(1) - 4),
  );
  return String.fromCharCode(header[0]);
}

async function readFull(transport: Transport, bytes: Uint8Array) {
  for (let at = 0; at < bytes.length;) {
    at += await transport.conn.read(bytes.subarray(at)) ?? 0;
  }
}

/** Reads an answer to its end, and gives the types of its frames. */
export async function readUntilReady(transport: Transport): Promise<string> {
  let types = "";
  while (!types.endsWith("Z")) types += await readFrame(transport);
  return types;
}

/** Logs a transport in, as what the server says of it: the driver first, then the session. */
export async function logIn(
  transport: Transport,
  stream: MemoryStream,
  ...greeting: Uint8Array[]
): Promise<void> {
  transport.begin(new Answer());
  await readUntilReady(transport);
  stream.push(...greeting);
  await transport.logIn();
  transport.finish();
}

/** Makes a transport that is logged in, and has heard nothing yet. */
export async function loggedIn(): Promise<[Transport, MemoryStream]> {
  const stream = new MemoryStream();
  const transport = new Transport(stream, STARTUP);
  await logIn(transport, stream, GREETING);
  stream.heard.length = 0;
  return [transport, stream];
}

/** Reads the answer of one call. */
export async function call(
  transport: Transport,
  answer = new Answer(),
): Promise<Answer> {
  transport.begin(answer);
  try {
    await readUntilReady(transport);
  } finally {
    transport.finish();
  }
  return answer;
}

/** Lets happen what can happen without more bytes. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** An answer of two rows, with a notice. */
export const ROWS = concat([
  bound(),
  rowDescription(["a", "b"]),
  dataRow(["1", "x"]),
  dataRow(["2", null]),
  noticeResponse({ code: "00000", message: "psst" }),
  commandComplete("SELECT 2"),
  readyForQuery(),
]);
