/**
 * Puts deno-postgres' `Client` on a connection of ours.
 *
 * @module
 */

import { Client, type ClientOptions } from "@db/postgres";
import type { DriverConn } from "./outbox.ts";

/** No one can have this name: https://www.rfc-editor.org/rfc/rfc2606#section-2 */
const UNREACHABLE = "crdb.invalid";

/**
 * Opens a client on a connection of ours. deno-postgres reads the environment and calls
 * `Deno.connect()` within the calls below, before it awaits anything; so both are replaced only
 * until those return, and no other code of the process can ever see it.
 *
 * @param conn The connection, on which the driver is let in at once.
 * @throws {TypeError} A version of the driver that goes another way.
 */
export async function openClient(
  conn: DriverConn,
): Promise<Client> {
  const options: ClientOptions = {
    hostname: UNREACHABLE,
    // The log-in isn't its business: it is let in before the server has said anything.
    user: "crdb",
    database: "crdb",
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
