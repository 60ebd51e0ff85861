/**
 * A run of migrations under a command: progress on the way, and an outcome whatever happens.
 *
 * @module
 */

import type { MigrationEvent } from "../migration/events.ts";
import type { Migration } from "../migration/migrator.ts";
import type { RunOptions } from "../migration/options.ts";
import type { Context, Outcome } from "./command.ts";
import { withMigration } from "./connection.ts";
import { describeFailure } from "./failure.ts";
import { Interrupt } from "./interrupt.ts";
import { counted } from "./progress.ts";

/** How the outcome of a run is told. */
export interface RunWords {
  /** The command, for telling how to go on. */
  readonly command: string;
  /** Which finished migrations count. */
  readonly direction: "up" | "down";
  /** The name of their number in the document, such as `applied`. */
  readonly key: string;
  /** What was done to them, such as `applied`. */
  readonly done: string;
  /** What to say where there was nothing to do. */
  readonly nothing: string;
}

/**
 * Runs migrations. An interruption and a failure are part of the outcome, with what was finished
 * before.
 */
export async function runMigrations(
  context: Context,
  words: RunWords,
  fn: (migration: Migration, options: RunOptions) => Promise<number>,
): Promise<Outcome> {
  const { io, reporter } = context;
  const migrations: {
    version: string;
    description: string;
    durationMs: number;
  }[] = [];
  let isLeased = false;
  const onEvent = (event: MigrationEvent) => {
    reporter.onEvent(event);
    isLeased ||= event.type === "lease-acquired";
    if (event.type !== "migration-finished") return;
    if (event.direction !== words.direction) return;
    const { version, description } = event;
    const durationMs = Math.round(event.durationMs);
    migrations.push({ version, description, durationMs });
  };
  using interrupt = new Interrupt(io, reporter);
  const { signal, cancelSignal } = interrupt;
  using patience = new Patience(signal, () => isLeased);
  let error: unknown;
  try {
    const run = withMigration(
      context,
      { onEvent },
      (migration) => fn(migration, { signal, cancelSignal }),
    );
    await Promise.race([run, patience.end]);
  } catch (failure) {
    error = failure;
  }
  const count = migrations.length;
  const data = { [words.key]: count, migrations };
  const summary = count === 0
    ? words.nothing
    : `${counted(count, "migration")} ${words.done}`;
  const isStopped = signal.aborted &&
    (error === undefined || cancelSignal.aborted ||
      error === signal.reason ||
      (error instanceof Error && error.cause === signal.reason));
  if (isStopped) return { data, error: interrupted(words, error, count) };
  return error === undefined ? { data, text: summary } : { data, error };
}

const PATIENCE_MS = 1_000;

/**
 * How long an interrupted run is waited for. One that has no lease yet has nothing to settle, and
 * may be waiting for a server that doesn't answer; one that has is waited for to its end.
 */
class Patience implements Disposable {
  /** Rejects where the waiting ends before the run. */
  readonly end: Promise<never>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(signal: AbortSignal, isNeeded: () => boolean) {
    this.end = new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        this.#timer = setTimeout(() => {
          if (!isNeeded()) reject(signal.reason);
        }, PATIENCE_MS);
      });
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

function interrupted(
  { command, done }: RunWords,
  error: unknown,
  count: number,
): DOMException {
  const isFailure = error !== undefined &&
    !(error instanceof DOMException && error.name === "AbortError");
  const reason = isFailure ? `\n${describeFailure(error).message}` : "";
  const rest = error === undefined
    ? "the run was through by then"
    : `run ${command} again to go on`;
  return new DOMException(
    `Interrupted: ${counted(count, "migration")} ${done}; ${rest}${reason}`,
    "AbortError",
  );
}
