/**
 * The limits of a call, apart from its other options. Every method takes them out here, so that none
 * leaves an option unseen, and all of its statements have the same limits.
 *
 * @module
 */

import { checkOptionNames } from "../driver/config.ts";
import type { CallOptions } from "../driver/driver.ts";
import { checkSignal } from "../driver/limit.ts";
import { checkTimeLimit } from "./pool_limits.ts";

/** Options of one query, and of every other call that runs statements. */
export interface QueryOptions extends CallOptions {
  /** Cancels the statement on the server when it fires; of several, those to come aren't sent. */
  signal?: AbortSignal;
  /**
   * Cancels the statement on the server after this many milliseconds; of several, such as the chunks
   * of a batch, each has this limit. The waiting for a connection has the same limit; in a transaction
   * the waiting for the calls before it is part of that time.
   */
  timeoutMs?: number;
}

const NAMES: readonly string[] = ["signal", "timeoutMs"];

/**
 * Refuses options that a call doesn't know, and a time limit or a signal that is none.
 *
 * @param options The call's options.
 * @param others The names of those that it has beside the limits.
 * @throws {ConfigError} The option, by its name.
 */
export function checkCallOptions(
  options: QueryOptions,
  others: readonly string[] = [],
): void {
  checkOptionNames(options, [...others, ...NAMES]);
  const { signal, timeoutMs } = options;
  checkSignal(signal);
  if (timeoutMs !== undefined) checkTimeLimit("timeoutMs", timeoutMs);
}

/**
 * Takes the limits out of a call's options, before anything is sent.
 *
 * @param options The call's options.
 * @param others The names of those that it has beside the limits.
 * @returns The limits, for every statement of the call.
 * @throws {ConfigError} An unknown option, or a time limit or a signal that is none.
 * @throws {unknown} The reason of a signal that has fired already.
 */
export function limitsOf(
  options: QueryOptions,
  others: readonly string[] = [],
): CallOptions {
  checkCallOptions(options, others);
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  return { signal, timeoutMs };
}

/**
 * Puts a statement's own limits before those of what it is part of. Its time limit counts alone; of two
 * signals either ends it.
 */
export function limitedBy<O extends CallOptions>(
  limits: CallOptions,
  options: O,
): O {
  const { signal, timeoutMs } = limits;
  if (signal === undefined && timeoutMs === undefined) return options;
  const { signal: own } = options;
  return {
    ...options,
    timeoutMs: options.timeoutMs ?? timeoutMs,
    signal: own && signal ? AbortSignal.any([own, signal]) : own ?? signal,
  };
}
