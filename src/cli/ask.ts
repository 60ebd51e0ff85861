/**
 * A command that is no run: a question to the database, or a note in its journal. A signal ends it
 * with an outcome too.
 *
 * @module
 */

import type { MigrationEvent } from "../migration/events.ts";
import type { Migration } from "../migration/migrator.ts";
import type { Context, Outcome } from "./command.ts";
import { type ConnectionOptions, withMigration } from "./connection.ts";
import { Patience } from "./patience.ts";

/** How a command asks, and what is said where it is interrupted. */
export interface AskOptions extends ConnectionOptions {
  /** The command, for telling how to do it again. */
  readonly command: string;
  /** What an interruption leaves. Default: `"nothing is changed"`. */
  readonly left?: string;
  /** Whether it writes under the lease, and is waited for until that is given up. */
  readonly isNote?: boolean;
}

/** Asks, and listens to the signals meanwhile; after the first, the next ends the process. */
export async function ask(
  context: Context,
  options: AskOptions,
  fn: (migration: Migration, signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  const { command, left = "nothing is changed", isNote = false } = options;
  let isLeased = false;
  const onEvent = (event: MigrationEvent) => {
    isLeased ||= event.type === "lease-acquired";
    options.onEvent?.(event);
  };
  const stop = new AbortController();
  const { signal } = stop;
  const unlisten = context.io.listen(() =>
    stop.abort(new DOMException("Interrupted", "AbortError"))
  );
  signal.addEventListener("abort", unlisten);
  using patience = new Patience(signal, {
    isNeeded: () => isLeased,
    ms: isNote ? undefined : 0,
  });
  try {
    const asked = withMigration(
      context,
      { ...options, onEvent },
      (migration) => fn(migration, signal),
    );
    const outcome = await Promise.race([asked, patience.end]);
    if (!signal.aborted) return outcome;
    return { data: outcome.data, error: interrupted("it was through by then") };
  } catch (error) {
    const isStopped = signal.aborted && (error === signal.reason ||
      error instanceof Error && error.cause === signal.reason);
    if (!isStopped) throw error;
    return { error: interrupted(`${left}; run ${command} again`) };
  } finally {
    if (!signal.aborted) unlisten();
  }
}

function interrupted(rest: string): DOMException {
  return new DOMException(`Interrupted: ${rest}`, "AbortError");
}
