/**
 * The default adapter: sessions on deno-postgres' `Client`, with our transport under it.
 *
 * The client leads the conversation (log-in, statements, errors); the transport keeps the connection,
 * TLS, rows and everything that the server reports on the side. Here a session is opened: which way
 * is tried, within which time, and what a failure means.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";
import { Answer } from "./answer.ts";
import { connectFailure, connectTimeout } from "./connect_failure.ts";
import { logInFailure, openClient } from "./deno_postgres_client.ts";
import { DenoPostgresWire } from "./deno_postgres_wire.ts";
import type { ConnectionConfig, Driver, Session } from "./driver.ts";
import { Limit } from "./limit.ts";
import { abandoned } from "./loss.ts";
import { startupMessage } from "./requests.ts";
import { WireSession } from "./session.ts";
import { isSocketPath, openStream } from "./socket.ts";
import {
  fallsBack,
  loadTlsOptions,
  type TlsAttempt,
  tlsAttempts,
} from "./tls.ts";
import { Transport } from "./transport.ts";

/**
 * The driver on deno-postgres.
 *
 * @example
 * ```ts
 * import { grantedEnvironment, resolveConfig } from "./config.ts";
 * import { denoPostgresDriver } from "./deno_postgres.ts";
 *
 * const config = resolveConfig({}, grantedEnvironment());
 * const session = await denoPostgresDriver().connect(config);
 * const { rows } = await session.query("SELECT $1::INT8 + 1", ["41"]);
 * await session.close();
 * ```
 */
export function denoPostgresDriver(): Driver {
  return { name: "deno-postgres", connect };
}

async function connect(
  config: ConnectionConfig,
  options: { signal?: AbortSignal } = {},
): Promise<Session> {
  const { host, tls, connectTimeoutMs: timeoutMs } = config;
  const [attempt, second] = isSocketPath(host)
    ? ["plain" as const]
    : tlsAttempts(tls.mode);
  const controller = new AbortController();
  const { signal } = controller;
  using limit = new Limit(
    { signal: options.signal, timeoutMs },
    () => controller.abort(options.signal?.reason),
  );
  try {
    return await openSession(config, { attempt, signal }).catch((error) => {
      if (second === undefined || !fallsBack(tls.mode, error)) throw error;
      return openSession(config, { attempt: second, signal });
    });
  } catch (error) {
    if (limit.reached === "time") throw connectTimeout(config);
    if (limit.reached === "signal") throw signal.reason;
    throw connectFailure(error, config);
  }
}

async function openSession(
  config: ConnectionConfig,
  options: { attempt: TlsAttempt; signal: AbortSignal },
): Promise<Session> {
  const { attempt, signal } = options;
  const tls = attempt === "tls"
    ? await loadTlsOptions(config.tls, config.host)
    : undefined;
  const open = (signal: AbortSignal) => openStream(config, { signal, tls });
  const stream = await open(signal);
  const transport = new Transport(stream, startupMessage(config));
  const answer = new Answer();
  const abort = () => transport.lose(abandoned("it was given up"));
  signal.addEventListener("abort", abort);
  try {
    transport.begin(answer);
    signal.throwIfAborted();
    const client = await openClient(config, transport.conn);
    signal.throwIfAborted();
    transport.finish();
    return new WireSession(new DenoPostgresWire({ client, transport, open }));
  } catch (error) {
    const { lost } = transport;
    transport.lose(abandoned("the log-in failed"));
    const { error: said, notices } = answer;
    if (said !== undefined) throw new DatabaseError(said, { notices });
    throw lost ?? logInFailure(error, config);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
