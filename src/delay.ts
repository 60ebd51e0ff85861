/**
 * Waiting that can be ended.
 *
 * @module
 */

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
