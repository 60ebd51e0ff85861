/**
 * Puts deno-postgres' `Client` on a connection of ours, and translates its own complaints about a
 * log-in.
 *
 * @module
 */

import { Client, type ClientOptions } from "@db/postgres";
import { DatabaseError } from "../errors.ts";
import type { ConnectionConfig } from "./driver.ts";
import type { DriverConn } from "./transport.ts";

/** No one can have this name: https://www.rfc-editor.org/rfc/rfc2606#section-2 */
const UNREACHABLE = "crdb.invalid";

/**
 * Opens a client on a connection of ours. deno-postgres reads the environment and calls
 * `Deno.connect()` within the calls below, before it awaits anything; so both are replaced only
 * until those return, and no other code of the process can ever see it.
 *
 * @param config User, password and database.
 * @param conn The connection, on which nothing was said yet.
 * @throws What the driver throws where the log-in fails.
 */
export async function openClient(
  config: ConnectionConfig,
  conn: DriverConn,
): Promise<Client> {
  const { user, password, database } = config;
  const options: ClientOptions = {
    hostname: UNREACHABLE,
    user,
    password,
    database,
    applicationName: "crdb",
    tls: { enabled: false },
    connection: { attempts: 0 },
    controls: { decodeStrategy: "string" },
  };
  let used = false;
  const [client, connected] = withDeno({
    connect: () => {
      used = true;
      return Promise.resolve(conn);
    },
    env: { get: () => undefined },
  }, () => {
    const client = new Client(options);
    return [client, client.connect()] as const;
  });
  if (!used) {
    connected.catch(() => {});
    throw new TypeError(
      "Cannot use this version of deno-postgres: it opens its connection in another way; install @db/postgres 0.19.5",
    );
  }
  await connected;
  return client;
}

function withDeno<T>(overrides: Record<string, unknown>, run: () => T): T {
  const namespace = Deno as unknown as Record<string, unknown>;
  const saved = Object.fromEntries(
    Object.keys(overrides).map((name) => [name, namespace[name]]),
  );
  try {
    Object.assign(namespace, overrides);
    return run();
  } finally {
    Object.assign(namespace, saved);
  }
}

/**
 * Translates what the driver itself says where it can't log in.
 *
 * @param error What it threw.
 * @param config The connection that was to be opened.
 * @returns An error with SQLSTATE 28P01, or the one given.
 */
export function logInFailure(
  error: unknown,
  config: ConnectionConfig,
): unknown {
  const message = error instanceof Error ? error.message : "";
  const reason = /unset password/.test(message)
    ? "the server asks for a password and none is given; give one"
    : /limited to safe ascii/.test(message)
    ? 'deno-postgres sends only user names and passwords of ASCII characters without spaces; change them, or use the driver "pg"'
    : undefined;
  if (reason === undefined) return error;
  return new DatabaseError({
    severity: "FATAL",
    code: "28P01",
    message: `Cannot log in as "${config.user}": ${reason}`,
  }, { cause: error });
}
