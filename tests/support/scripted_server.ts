/**
 * A server on loopback that follows a script, for answers that no real server gives on demand. A
 * script is an array of steps; behind its end the server stays connected and says nothing more.
 *
 * @module
 */

import { createServer, type Socket } from "node:net";
import type { ConnectionConfig } from "../../src/driver/driver.ts";
import {
  bound,
  commandComplete,
  concat,
  dataRow,
  type Frame,
  FrameSplitter,
  greeting,
  readyForQuery,
  rowDescription,
} from "./wire.ts";

/** One step of a script. */
export type Step = (peer: Peer) => Promise<void> | void;

/** The server's end of one connection. */
export interface Peer {
  /** The socket. */
  readonly socket: Socket;
  /** Resolves to the client's next frame; `undefined` where it has closed the connection. */
  next(): Promise<Frame | undefined>;
}

/** A server that follows scripts. */
export interface ScriptedServer extends AsyncDisposable {
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** How to connect to it. */
  readonly config: ConnectionConfig;
  /** What clients sent, as types, a list for each connection. */
  readonly received: string[][];
}

/**
 * Starts a server. Disposing of it rejects where a client sent something else than its script
 * expects; a client may leave at any time.
 *
 * @param scripts The first connection's script, the second's, …; the last one serves all others.
 *
 * @example
 * ```ts no-eval
 * await using server = await scriptedServer([
 *   logIn(),
 *   expect("Query"),
 *   send(errorResponse({ severity: "FATAL", code: "57P01", message: "draining" })),
 *   close(),
 * ]);
 * ```
 */
export async function scriptedServer(
  ...scripts: Step[][]
): Promise<ScriptedServer> {
  const received: string[][] = [];
  const sockets = new Set<Socket>();
  const failures: Error[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const script = scripts[Math.min(received.length, scripts.length - 1)];
    const types: string[] = [];
    received.push(types);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    follow(script, newPeer(socket, types)).catch((error) => {
      if (!(error instanceof ClientGone)) failures.push(error);
      socket.destroy();
    });
  });
  const port = await listen(server);
  return {
    port,
    config: loopback(port),
    received,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** Starts to listen on a free port of 127.0.0.1, and gives the port. */
export async function listen(
  server: ReturnType<typeof createServer>,
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

/** How to connect to a server on loopback that lets everyone in. */
export function loopback(port: number): ConnectionConfig {
  return {
    host: "127.0.0.1",
    port,
    database: "db",
    user: "root",
    applicationName: "test",
    sessionSettings: {},
    tls: { mode: "disable" },
    connectTimeoutMs: 5_000,
  };
}

class ClientGone extends Error {}

async function follow(script: Step[], peer: Peer): Promise<void> {
  for (const step of script) await step(peer);
  while (await peer.next() !== undefined);
}

function newPeer(socket: Socket, types: string[]): Peer {
  const splitter = new FrameSplitter("client");
  const frames: Frame[] = [];
  let ended = false;
  let wake = () => {};
  socket.on("data", (bytes) => {
    const pushed = splitter.push(bytes as Uint8Array);
    frames.push(...pushed);
    types.push(...pushed.map(({ type }) => type));
    wake();
  });
  const end = () => {
    ended = true;
    wake();
  };
  socket.on("end", end).on("close", end);
  const next = async () => {
    while (frames.length === 0 && !ended) {
      await new Promise<void>((resolve) => wake = resolve);
    }
    return frames.shift();
  };
  return { socket, next };
}

/** Waits for frames of the client's, which must be of these types, in this order. */
export function expect(...types: string[]): Step {
  return async ({ next }) => {
    for (const type of types) {
      const found = await next();
      if (found === undefined) throw new ClientGone();
      if (found.type !== type) {
        throw new Error(
          `The script expects ${type}; there came ${found.type}`,
        );
      }
    }
  };
}

/** Waits for a frame of the client's, whatever comes before it. */
export function skipTo(type: string): Step {
  return async ({ next }) => {
    for (;;) {
      const found = await next();
      if (found === undefined) throw new ClientGone();
      if (found.type === type) return;
    }
  };
}

/** Sends bytes. */
export function send(...bytes: Uint8Array[]): Step {
  return ({ socket }) => written(socket, concat(bytes));
}

/** Sends bytes one at a time, each in a packet of its own. */
export function trickle(...bytes: Uint8Array[]): Step {
  return async ({ socket }) => {
    for (const byte of concat(bytes)) {
      await written(socket, Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
}

function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => socket.write(bytes, () => resolve()));
}

/** Closes the connection when everything was sent. */
export function close(): Step {
  return ({ socket }) => {
    socket.end();
  };
}

/** Resets the connection. */
export function reset(): Step {
  return ({ socket }) => {
    socket.resetAndDestroy();
  };
}

/** Runs code in the middle of a script, and waits for it. */
export function run(fn: () => Promise<void> | void): Step {
  return fn;
}

/** Lets a client log in without TLS and password. */
export function logIn(parameters: Record<string, string> = {}): Step {
  return async (peer) => {
    await expect("StartupMessage")(peer);
    await send(greeting(parameters))(peer);
  };
}

/** Waits for a statement, with arguments or without, and answers it with a text column `value`. */
export function answer(...values: string[]): Step {
  return async (peer) => {
    const first = await peer.next();
    if (first === undefined) throw new ClientGone();
    const extended = first.type === "Parse";
    if (extended) await skipTo("Sync")(peer);
    else if (first.type !== "Query") {
      throw new Error(
        `The script expects a statement; there came ${first.type}`,
      );
    }
    await send(
      ...(extended ? [bound()] : []),
      rowDescription(["value"]),
      ...values.map((value) => dataRow([value])),
      commandComplete(`SELECT ${values.length}`),
      readyForQuery(),
    )(peer);
  };
}
