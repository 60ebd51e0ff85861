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
import { Patience } from "./patience.ts";
import { counted } from "./progress.ts";

/** A migration that a run is through with. */
export type Finished = Extract<MigrationEvent, { type: "migration-finished" }>;

/** How the outcome of a run is told. */
export interface RunWords {
  /** Which finished migrations count. */
  readonly direction: "up" | "down";
  /** The name of their number in the document, such as `applied`. */
  readonly key: string;
  /** What was done to them, such as `applied`. */
  readonly done: string;
  /** What to say where there was nothing to do. */
  readonly nothing: string;
  /**
   * The command that ends where the run was to end, which `finished` is a part of; `undefined` where
   * that is all of it.
   */
  goOn(finished: readonly Finished[]): string | undefined;
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
  const finished: Finished[] = [];
  let isLeased = false;
  const onEvent = (event: MigrationEvent) => {
    // What is known of the run may not depend on whether it could be told.
    isLeased ||= event.type === "lease-acquired";
    if (event.type === "migration-finished") finished.push(event);
    reporter.onEvent(event);
  };
  using interrupt = new Interrupt(io, reporter);
  const { signal, cancelSignal } = interrupt;
  using patience = new Patience(signal, { isNeeded: () => isLeased });
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
  const migrations = finished
    .filter(({ direction }) => direction === words.direction)
    .map(({ version, description, durationMs }) => ({
      version,
      description,
      durationMs: Math.round(durationMs),
    }));
  const count = migrations.length;
  const data = { [words.key]: count, migrations };
  const summary = count === 0
    ? words.nothing
    : `${counted(count, "migration")} ${words.done}`;
  const isStopped = signal.aborted &&
    (error === undefined || cancelSignal.aborted ||
      error === signal.reason ||
      (error instanceof Error && error.cause === signal.reason));
  if (error === undefined && !isStopped) return { data, text: summary };
  const run = words.goOn(finished);
  const goOn = run === undefined
    ? undefined
    : { run, isOther: run !== words.goOn([]) };
  if (!isStopped) return { data, error, goOn };
  return { data, error: interrupted(words, count, { error, goOn }) };
}

function interrupted(
  { done }: RunWords,
  count: number,
  { error, goOn }: Outcome,
): DOMException {
  const isFailure = error !== undefined &&
    !(error instanceof DOMException && error.name === "AbortError");
  const reason = isFailure
    ? `\n${
      describeFailure(error, { goOn: goOn && { ...goOn, isOther: false } })
        .message
    }`
    : "";
  const rest = error === undefined || goOn === undefined
    ? "the run was through by then"
    // What is left depends on what the reason asks to look for.
    : reason.includes("run crdb status first")
    ? "whether another one is isn't known yet"
    : `run ${goOn.run} to go on`;
  return new DOMException(
    `Interrupted: ${counted(count, "migration")} ${done}; ${rest}${reason}`,
    "AbortError",
  );
}
