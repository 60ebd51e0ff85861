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
  const { promise: ended, reject: end } = Promise.withResolvers<never>();
  using limit = new Limit({ signal: options.signal, timeoutMs }, (reached) => {
    controller.abort(
      reached === "time" ? connectTimeout(config) : options.signal?.reason,
    );
    end(signal.reason);
  });
  const opening = open({ attempt, signal }).catch((error) => {
    if (second === undefined || !fallsBack(tls.mode, error)) throw error;
    signal.throwIfAborted();
    return open({ attempt: second, signal });
  });
  try {
    return await Promise.race([ended, opening]);
  } catch (error) {
    if (limit.reached === undefined) throw connectFailure(error, config);
    opening.then((late) => late.close()).catch(() => {});
    throw signal.reason;
  }
}
