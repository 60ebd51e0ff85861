/**
 * Opens a session within its limits, in plain text or by TLS as the sslmode has it. It is the same for
 * every driver.
 *
 * @module
 */

import { connectFailure, connectTimeout } from "./connect_failure.ts";
import type { ConnectionConfig } from "./driver.ts";
import { Limit } from "./limit.ts";
import { isSocketPath } from "./socket.ts";
import { fallsBack, type TlsAttempt, tlsAttempts } from "./tls.ts";

/** One attempt to open a session. */
export interface Opening {
  /** Whether it is made in plain text or by TLS. */
  readonly attempt: TlsAttempt;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/**
 * Calls `open`, and once more the other way where the sslmode lets it. An attempt that goes on behind
 * the limit isn't waited for, and what it opens then is closed.
 *
 * @param config Where to, how it is protected, and the time limit.
 * @param open Makes one attempt.
 * @throws {DatabaseError} Where the server refused or wasn't reached within the limit.
 */
export async function openWithin<T extends { close(): Promise<void> }>(
  config: ConnectionConfig,
  open: (opening: Opening) => Promise<T>,
  options: { signal?: AbortSignal } = {},
): Promise<T> {
  const { host, tls, connectTimeoutMs: timeoutMs } = config;
  const [attempt, second] = isSocketPath(host)
    ? ["plain" as const]
    : tlsAttempts(tls.mode);
  const controller = new AbortController();
  const { signal } = controller;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  using limit = new Limit({ signal: options.signal, timeoutMs }, (reached) => {
    controller.abort(
      reached === "time" ? connectTimeout(config) : options.signal?.reason,
    );
    reject(signal.reason);
  });
  const opened = (session: T) => {
    if (limit.reached === undefined) resolve(session);
    else session.close().catch(() => {});
  };
  const refused = (error: unknown) => {
    const isLast = second === undefined || limit.reached !== undefined;
    if (isLast || !fallsBack(tls.mode, error)) reject(error);
    else open({ attempt: second, signal }).then(opened, reject);
  };
  open({ attempt, signal }).then(opened, refused);
  try {
    return await promise;
  } catch (error) {
    throw limit.reached === undefined ? connectFailure(error, config) : error;
  }
}
