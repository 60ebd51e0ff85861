/**
 * Waiting that can be ended.
 *
 * @module
 */

/** A timer can't wait longer; a longer time is no limit. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1;

/**
 * Waits.
 *
 * @param ms How long, in milliseconds.
 * @param signal Ends the waiting.
 * @throws The signal's reason, where it fires first.
 */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * Waits until a promise is settled, or until it has had its time.
 *
 * @param ms How long at most, in milliseconds.
 * @param promise The promise. Where it rejects in time, so does this.
 */
export async function settledWithin(
  ms: number,
  promise: Promise<unknown>,
): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = ms <= MAX_DELAY_MS ? setTimeout(resolve, ms) : undefined;
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for what others wait for, too: it goes on where this one leaves.
 *
 * @param signal Ends the waiting.
 * @throws The signal's reason, where it fires first.
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
