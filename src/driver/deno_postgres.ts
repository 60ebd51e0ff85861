/**
 * The default adapter: sessions on deno-postgres' `Client`, with our transport under it.
 *
 * The client leads the conversation (statements, errors); the transport keeps the connection, TLS, the
 * log-in, rows and everything that the server reports on the side. Here a session is opened: which way
 * is tried, within which time, and what a failure means.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";
import { Answer } from "./answer.ts";
import { openClient } from "./deno_postgres_client.ts";
import { DenoPostgresWire } from "./deno_postgres_wire.ts";
import type { ConnectionConfig, Driver, Session } from "./driver.ts";
import { LogIn } from "./log_in.ts";
import { abandoned } from "./loss.ts";
import { type Opening, openWithin } from "./opening.ts";
import { startupMessage } from "./requests.ts";
import { WireSession } from "./session.ts";
import { openStream } from "./socket.ts";
import { loadTlsOptions } from "./tls.ts";
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

function connect(
  config: ConnectionConfig,
  options?: { signal?: AbortSignal },
): Promise<Session> {
  return openWithin(
    config,
    (opening) => openSession(config, opening),
    options,
  );
}

async function openSession(
  config: ConnectionConfig,
  options: Opening,
): Promise<Session> {
  const { attempt, signal } = options;
  const tls = attempt === "tls"
    ? await loadTlsOptions(config.tls, config.host)
    : undefined;
  const open = (signal: AbortSignal) => openStream(config, { signal, tls });
  const opening = open(signal);
  const startup = startupMessage(config);
  const answer = new Answer();
  const stream = await opening;
  const transport = new Transport(stream, startup, new LogIn(config));
  const abort = () => transport.lose(abandoned("it was given up"));
  signal.addEventListener("abort", abort);
  try {
    transport.begin(answer);
    signal.throwIfAborted();
    const client = await openClient(transport.conn);
    const wire = new DenoPostgresWire({ client, transport, open });
    const session = new WireSession(wire);
    await transport.logIn();
    signal.throwIfAborted();
    transport.finish();
    return session;
  } catch (error) {
    const { lost } = transport;
    transport.lose(abandoned("the log-in failed"));
    const { error: said, notices } = answer;
    if (said !== undefined) throw new DatabaseError(said, { notices });
    throw lost ?? error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
