/**
 * The adapter on `npm:pg`: sessions on its `Client` alone, for client certificates, Node, Bun, and
 * networks without JSR.
 *
 * The client keeps the protocol's conversation. Every setting is given to it, because it would look
 * for what is missing in the environment and in `~/.pgpass`, which need permissions of their own.
 *
 * @module
 */

import process from "node:process";
import type { ConnectionConfig, Driver, Session } from "./driver.ts";
import { abandoned } from "./loss.ts";
import { type Opening, openWithin } from "./opening.ts";
import type { Pg } from "./pg_types.ts";
import { PgWire } from "./pg_wire.ts";
import { type Wire, WireSession } from "./session.ts";
import { loadTlsOptions } from "./tls.ts";

/**
 * The driver on `npm:pg`.
 *
 * @example
 * ```ts
 * import { grantedEnvironment, resolveConfig } from "./config.ts";
 * import { pgDriver } from "./pg.ts";
 *
 * const config = resolveConfig({}, grantedEnvironment());
 * const session = await pgDriver().connect(config);
 * const { rows } = await session.query("SELECT $1::INT8 + 1", ["41"]);
 * await session.close();
 * ```
 */
export function pgDriver(): Driver {
  return { name: "pg", connect };
}

let loading: Promise<Pg> | undefined;

/** Loads the package. While it loads it would ask for three variables, which mean nothing here. */
function loadPg(): Promise<Pg> {
  return loading ??= (async () => {
    const { env } = process;
    process.env = Object.create(env, {
      NODE_PG_FORCE_NATIVE: {},
      USER: {},
      USERNAME: {},
    });
    try {
      const { default: pg } = await import("pg");
      return pg as unknown as Pg;
    } finally {
      process.env = env;
    }
  })();
}

async function connect(
  config: ConnectionConfig,
  options?: { signal?: AbortSignal },
): Promise<Session> {
  const wire = await openWithin(
    config,
    (opening) => open(config, opening),
    options,
  );
  return new WireSession(wire);
}

async function open(
  config: ConnectionConfig,
  options: Opening,
): Promise<Wire> {
  const { attempt, signal } = options;
  const pg = await loadPg();
  const tls = attempt === "tls"
    ? await loadTlsOptions(config.tls, config.host)
    : undefined;
  signal.throwIfAborted();
  const wire = new PgWire(pg, { config, tls });
  const abort = () => wire.lose(abandoned("it was given up"));
  signal.addEventListener("abort", abort);
  try {
    await wire.logIn();
    signal.throwIfAborted();
    return wire;
  } catch (error) {
    wire.lose(abandoned("the log-in failed"));
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
