/**
 * Opens the byte stream that a session runs on: TCP or a Unix socket, in plain text or under TLS.
 * Bytes are read only when they are asked for, so that a slow reader slows the server down.
 *
 * TLS runs on `node:tls`, because `Deno.startTls()` knows neither client certificates nor a
 * certificate that isn't verified (`sslmode=require`).
 *
 * @module
 */

import { connect as connectSocket, type Socket } from "node:net";
import { connect as startTls } from "node:tls";
import type { ConnectionConfig } from "./driver.ts";
import { HUNG_UP } from "./loss.ts";
import { SSL_REQUEST } from "./requests.ts";
import {
  handshakeFailure,
  TLS_REFUSED,
  type TlsOptions,
  tlsSpoiled,
} from "./tls.ts";

/** A connection, as a session sees it. One read and one write may be under way at a time. */
export interface ByteStream {
  /** Reads some bytes into a buffer; resolves to their number, or `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes all bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the connection at once; what is under way fails. Never throws. */
  close(): void;
  /** Says whether a read under way keeps the process alive. */
  hold(alive: boolean): void;
}

/** The answers to a request for TLS: `S` and `N`. */
const YES = 0x53;
const NO = 0x4e;

/** Options of {@linkcode openStream}. */
export interface OpenOptions {
  /** Gives up and closes the connection when it fires. */
  signal: AbortSignal;
  /** What is verified; without it the connection is in plain text. */
  tls?: TlsOptions;
}

/**
 * Says whether a host is the folder of a Unix socket. There is no TLS on those.
 *
 * @param host The host of a connection.
 */
export function isSocketPath(host: string): boolean {
  return host.startsWith("/");
}

/**
 * Opens a connection.
 *
 * @param config Host and port; with a Unix socket, the port is part of the socket's name.
 * @param options The limit, and TLS.
 * @throws What the runtime throws where the server isn't reached; the signal's reason.
 */
export async function openStream(
  config: ConnectionConfig,
  options: OpenOptions,
): Promise<ByteStream> {
  const { host, port } = config;
  const { signal, tls } = options;
  signal.throwIfAborted();
  if (tls !== undefined) return await openTls(config, { signal, tls });
  if (isSocketPath(host)) {
    const path = `${host}/.s.PGSQL.${port}`;
    return new PlainStream(await Deno.connect({ transport: "unix", path }));
  }
  const conn = await Deno.connect({ hostname: host, port, signal });
  conn.setNoDelay(true);
  conn.setKeepAlive(true);
  return new PlainStream(conn);
}

class PlainStream implements ByteStream {
  #conn: Deno.TcpConn | Deno.UnixConn;

  constructor(conn: Deno.TcpConn | Deno.UnixConn) {
    this.#conn = conn;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  async write(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      written += await this.#conn.write(bytes.subarray(written));
    }
  }

  close(): void {
    try {
      this.#conn.close();
    } catch {
      // It was closed before.
    }
  }

  hold(alive: boolean): void {
    if (alive) this.#conn.ref();
    else this.#conn.unref();
  }
}

async function openTls(
  config: ConnectionConfig,
  options: Required<OpenOptions>,
): Promise<ByteStream> {
  const { host, port } = config;
  const { signal, tls } = options;
  const plain = connectSocket({ host, port, noDelay: true, keepAlive: true });
  let socket = plain;
  const abort = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    await settled(plain, "connect");
    plain.write(SSL_REQUEST);
    const [answer] = await settled(plain, "data") as [Uint8Array];
    const [word] = answer;
    if (word !== YES && word !== NO) {
      throw tlsSpoiled("the server's answer is none of PostgreSQL's");
    }
    // Such bytes were sent in plain text, by anyone: https://www.postgresql.org/support/security/CVE-2021-23222/
    if (answer.length > 1) {
      throw tlsSpoiled("the server sent plain text before the handshake");
    }
    if (word === NO) throw new Error(TLS_REFUSED);
    socket = startTls({ ...tls, socket: plain });
    await settled(socket, "secureConnect").catch((cause) => {
      throw handshakeFailure(cause);
    });
    return new SocketStream(socket);
  } catch (error) {
    socket.destroy();
    plain.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** How the server's end of a connection is told, by what was waited for. */
const ENDS: Readonly<Record<string, () => Error>> = {
  connect: () => new Error("the connection was closed"),
  // It may be an attacker's, who wants to see the password in plain text.
  data: () => tlsSpoiled(HUNG_UP),
  secureConnect: () => handshakeFailure(),
};

/** Waits for an event of a socket; its error or its end rejects. */
function settled(
  socket: Socket,
  event: keyof typeof ENDS,
): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      socket.off(event, happened).off("error", failed).off("close", closed);
      socket.off("end", closed);
      // A late error must not be one that no one listens for.
      socket.on("error", () => {});
      settle();
    };
    const happened = (...values: unknown[]) => done(() => resolve(values));
    const failed = (error: Error) => done(() => reject(error));
    const closed = () => done(() => reject(ENDS[event]()));
    socket.once(event, happened).once("error", failed).once("close", closed);
    socket.once("end", closed);
  });
}

class SocketStream implements ByteStream {
  #socket: Socket;
  #chunk: Uint8Array | null = null;
  #ended = false;
  #error?: Error;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("readable", () => this.#wake());
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
    socket.on("error", (error) => this.#end(error));
  }

  #end(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      const chunk = this.#chunk ?? this.#socket.read() as Uint8Array | null;
      if (chunk !== null) {
        const length = Math.min(chunk.length, buffer.length);
        buffer.set(chunk.subarray(0, length));
        this.#chunk = length < chunk.length ? chunk.subarray(length) : null;
        return length;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(
        bytes,
        (error) => error == null ? resolve() : reject(error),
      );
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  hold(alive: boolean): void {
    if (alive) this.#socket.ref();
    else this.#socket.unref();
  }
}
