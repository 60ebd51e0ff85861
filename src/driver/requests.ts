/**
 * The frames that are sent beside the driver's own: the first one of a session, a request for TLS or
 * for a cancellation, the good-bye. Pure functions and constants.
 *
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 *
 * @module
 */

import type { ConnectionConfig } from "./driver.ts";

const encoder = new TextEncoder();

/** Asks a server whether it speaks TLS; it answers with one byte, `S` or `N`. */
export const SSL_REQUEST: Uint8Array<ArrayBuffer> = new Uint8Array(
  [0, 0, 0, 8, 4, 210, 22, 47],
);

/** Ends a session. */
export const TERMINATE: Uint8Array<ArrayBuffer> = frame("X", new Uint8Array());

/**
 * Refuses to send the data that `COPY … FROM STDIN` asks for.
 *
 * @param reason What the server's error then says.
 */
export function copyFail(reason: string): Uint8Array<ArrayBuffer> {
  return frame("f", encoder.encode(`${reason}\0`));
}

/**
 * Asks a server, on a connection of its own, to cancel what a session is doing.
 *
 * @param key The body of the session's BackendKeyData: process id and secret.
 */
export function cancelRequest(key: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + key.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length);
  view.setInt32(4, 80877102);
  bytes.set(key, 8);
  return bytes;
}

/**
 * Builds the first frame of a session. Settings travel as start-up parameters, which take any
 * value as it is; only `cluster` goes into `options`, where CockroachDB Cloud looks for it.
 * Dates are asked for in ISO form, whatever the server's or the role's default.
 *
 * @param config User, database, application name and settings.
 */
export function startupMessage(
  config: ConnectionConfig,
): Uint8Array<ArrayBuffer> {
  const { user, database, applicationName, sessionSettings } = config;
  const { cluster, ...settings } = sessionSettings;
  const parameters: Record<string, string> = {
    user,
    database,
    client_encoding: "UTF8",
    application_name: applicationName,
    DateStyle: "ISO",
    ...settings,
  };
  if (cluster !== undefined) {
    parameters.options = `--cluster=${cluster.replace(/[\\\s]/g, "\\$&")}`;
  }
  const text = Object.entries(parameters)
    .map(([name, value]) => `${name}\0${value}\0`).join("");
  const body = encoder.encode(`${text}\0`);
  const bytes = new Uint8Array(8 + body.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length);
  view.setInt32(4, 0x30000);
  bytes.set(body, 8);
  return bytes;
}

/**
 * Puts byte sequences together.
 *
 * @param parts The sequences, in order.
 */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function frame(type: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + body.length);
  bytes[0] = type.charCodeAt(0);
  new DataView(bytes.buffer).setInt32(1, body.length + 4);
  bytes.set(body, 5);
  return bytes;
}
