/**
 * A proxy between a client and a real server that sees every frame of both directions, and breaks
 * what a test tells it to break. The protocol's state stays right by construction: where a statement
 * is to fail, the server gets another one in its place that fails, and only the error is replaced.
 *
 * It speaks plain text: it answers a request for TLS itself, with "no".
 *
 * @module
 */

import { connect, createServer } from "node:net";
import { type Action, type ProxyFrame, Relay } from "./relay.ts";
import { listen } from "./scripted_server.ts";

export type { Action, ProxyFrame } from "./relay.ts";

/** Options of {@linkcode faultProxy}. */
export interface FaultProxyOptions {
  /** The server behind the proxy. */
  upstream: { host: string; port: number };
  /** Says what happens to a frame; `undefined` is `"pass"`. */
  onFrame?: (
    frame: ProxyFrame,
  ) => Action | undefined | void | Promise<Action | undefined | void>;
}

/** A proxy that runs. */
export interface FaultProxy extends AsyncDisposable {
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** Every frame since the start or the last reset, a line each, such as `1 client Query BEGIN`. */
  readonly log: string[];
  /** Puts the proxy in the place of an address's host and port. */
  through(url: string): string;
  /** Forgets the log and counts connections and frames from 1 again. */
  reset(): void;
  /** Holds all frames back. */
  pause(): void;
  /** Lets frames go on. */
  resume(): void;
  /** Ends all connections, when the frames on their way have come through. */
  cutAll(): Promise<void>;
}

/**
 * Starts a proxy on a free port. Disposing of it rejects where a rule threw.
 *
 * @param options The server, and the rules.
 *
 * @example A commit whose outcome the client never learns
 * ```ts no-eval
 * await using proxy = await faultProxy({
 *   upstream,
 *   onFrame: ({ text }) => text === "COMMIT" ? { cut: "after" } : "pass",
 * });
 * ```
 *
 * @example A retry error at the third statement
 * ```ts no-eval
 * onFrame: ({ type, nth }) =>
 *   type === "Query" && nth === 3
 *     ? { error: { code: "40001", message: "restart transaction" } }
 *     : "pass"
 * ```
 */
export async function faultProxy(
  options: FaultProxyOptions,
): Promise<FaultProxy> {
  const { upstream, onFrame = () => "pass" } = options;
  const relays = new Set<Relay>();
  const log: string[] = [];
  const failures: unknown[] = [];
  let connections = 0;
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const server = createServer(
    { noDelay: true, allowHalfOpen: true },
    (near) => {
      const far = connect({ ...upstream, noDelay: true, allowHalfOpen: true });
      const relay = new Relay({ near, far }, {
        connection: ++connections,
        decide: async (frame) => {
          const { connection, direction, type, text } = frame;
          log.push(
            `${connection} ${direction} ${type}${text ? ` ${text}` : ""}`,
          );
          await gate.promise;
          return await onFrame(frame) ?? "pass";
        },
      });
      relays.add(relay);
      relay.done.then(() => {
        relays.delete(relay);
        if (relay.failure !== undefined) failures.push(relay.failure);
      });
    },
  );
  const port = await listen(server);
  return {
    port,
    log,
    through(url) {
      const address = new URL(url);
      address.host = `127.0.0.1:${port}`;
      return address.href;
    },
    reset() {
      log.length = connections = 0;
      for (const relay of relays) relay.renumber(++connections);
    },
    pause: () => gate = Promise.withResolvers(),
    resume: () => gate.resolve(),
    async cutAll() {
      const all = [...relays];
      await Promise.all(all.map((relay) => relay.passed()));
      await Promise.all(all.map((relay) => relay.cut()));
    },
    async [Symbol.asyncDispose]() {
      gate.resolve();
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.all([...relays].map((relay) => relay.end()));
      await closed;
      if (failures.length > 0) throw failures[0];
    },
  };
}
