/**
 * What a command needs of Deno's permissions, asked for before anything is touched: a missing one
 * ends the command with the flag that grants it, and never with a prompt.
 *
 * @module
 */

import { addressOf } from "../driver/connect_failure.ts";
import type { ConnectionConfig } from "../driver/driver.ts";
import { isPem } from "../driver/settings.ts";

/** Something that a command needs to be allowed. */
export interface Need {
  /** What it wants to do. */
  readonly action: string;
  /** The flags that allow it. */
  readonly flags: string;
  /** The permissions. */
  readonly permissions: readonly Deno.PermissionDescriptor[];
}

/** The need to read a file or a folder. */
export function reading(path: string): Need {
  return {
    action: `read ${path}`,
    flags: `--allow-read=${path}`,
    permissions: [{ name: "read", path }],
  };
}

/** The need to write into a folder. */
export function writing(path: string): Need {
  return {
    action: `write into ${path}`,
    flags: `--allow-write=${path}`,
    permissions: [{ name: "write", path }],
  };
}

/** What connecting to a server needs: its address or socket, and the certificates that are files. */
export function connecting(
  config: Pick<ConnectionConfig, "host" | "port" | "tls">,
): Need[] {
  const { host, tls } = config;
  const address = addressOf(config);
  const files = [tls.rootCert, tls.cert, tls.key].filter((file) =>
    file !== undefined && file !== "system" && !isPem(file)
  );
  const server: Need = host.startsWith("/")
    ? {
      action: `connect to ${address}`,
      flags:
        `--allow-net=unix:${address} --allow-read=${address} --allow-write=${address}`,
      permissions: [
        { name: "net", host: `unix:${address}` },
        { name: "read", path: address },
        { name: "write", path: address },
      ],
    }
    : {
      action: `connect to ${address}`,
      flags: `--allow-net=${address}`,
      permissions: [{ name: "net", host: address }],
    };
  return [server, ...files.map((file) => reading(file!))];
}

/** The need to know the database, where no option names it: `undefined` where it is met. */
export function addressing(): Need | undefined {
  const variables = ["DATABASE_URL", "PGHOST"];
  const isGranted = variables.some((variable) =>
    allows({ name: "env", variable })
  );
  return isGranted ? undefined : {
    action: "read the variable DATABASE_URL",
    flags: "--allow-env=DATABASE_URL, or with --url",
    permissions: [{ name: "env", variable: "DATABASE_URL" }],
  };
}

/**
 * Makes sure that all needs are met.
 *
 * @throws {Deno.errors.NotCapable} What is missing, each with its flag.
 */
export function assureNeeds(needs: readonly Need[]): void {
  const missing = needs.filter(({ permissions }) => !permissions.every(allows));
  if (missing.length === 0) return;
  throw new Deno.errors.NotCapable(
    missing.map(({ action, flags }) =>
      `Cannot ${action}: no permission; run again with ${flags}`
    ).join("\n"),
  );
}

function allows(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}
