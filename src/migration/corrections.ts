/**
 * Corrections of the journal by hand: a baseline for a database that has the schema already, and
 * the answer to a question that neither journal nor catalog can answer.
 *
 * @module
 */

import type { Database } from "../database/database.ts";
import { checkOptionNames } from "../driver/config.ts";
import { checkSignal } from "../driver/limit.ts";
import { ConfigError, MigrationError } from "../errors.ts";
import { compareVersions, type MigrationFile } from "./file.ts";
import { appliedWrite, clearWrite, progressWrite } from "./journal_notes.ts";
import type { JournalState } from "./journal.ts";
import type { RunOptions } from "./options.ts";
import { statementsOf } from "./planned.ts";
import { flightProblems } from "./problems.ts";
import { type Run, writeJournal } from "./run.ts";
import { type RunnerOptions, underLease } from "./runner.ts";
import { findVersion } from "./versions.ts";

/** Refuses what a correction doesn't know. */
export function checkCorrectionOptions(
  options: Pick<RunOptions, "signal">,
): void {
  checkOptionNames(options, ["signal"]);
  checkSignal(options.signal);
}

/**
 * Notes the migrations up to a version as applied, and returns how many weren't.
 *
 * @throws {MigrationError} A version that no file has, a migration that is half applied.
 */
export async function takeBaseline(
  db: Database,
  { files, version }: { files: readonly MigrationFile[]; version: string },
  options: RunnerOptions,
): Promise<number> {
  const target = findVersion(files, version);
  if (target === undefined) {
    const newest = files.at(-1);
    throw new MigrationError(
      `Cannot take ${version} as the baseline: no file has that version; ` +
        (newest === undefined
          ? "there are no migrations"
          : `the newest is ${newest.version}`),
      { version },
    );
  }
  const wanted = files.filter(({ version }) =>
    compareVersions(version, target.version) <= 0
  );
  const noted = await underLease(
    db,
    options,
    (run, state) => noteApplied(run, state, wanted),
  );
  return noted ?? 0;
}

async function noteApplied(
  run: Run,
  { applied, progress }: JournalState,
  wanted: readonly MigrationFile[],
): Promise<number> {
  if (progress) {
    const { version, direction } = progress;
    const [half, command] = direction === "up"
      ? ["half applied", "migrate"]
      : ["half undone", "rollback"];
    throw new MigrationError(
      `Cannot take a baseline: ${version} is ${half}; finish it with ${command} first`,
      { version },
    );
  }
  const missing = wanted.filter(({ version }) =>
    findVersion(applied, version) === undefined
  );
  const { tables, lease, by, signal } = run;
  // Behind half a baseline the next run would run the other half, so no signal ends it in between.
  signal?.throwIfAborted();
  for (const { version, description, checksum } of missing) {
    const note = { version, description, checksum, durationMs: null, by };
    await writeJournal(run, appliedWrite(tables, lease.fence, note));
  }
  return missing.length;
}

/** The answer to the question whether a statement took effect. */
export interface Answer {
  /** The version of the migration in flight. */
  version: string;
  /** Whether its statement in flight took effect. */
  outcome: "done" | "not-done";
}

const OUTCOMES: readonly unknown[] = ["done", "not-done"];

/**
 * Refuses an answer that is none: what isn't known to have taken effect would be run again.
 *
 * @throws {ConfigError} An outcome by another word.
 */
export function checkAnswer({ version, outcome }: Answer): void {
  if (OUTCOMES.includes(outcome)) return;
  throw new ConfigError(
    `Cannot repair ${version} with the outcome "${outcome}": that is no answer; give "done" or "not-done"`,
  );
}

/**
 * Notes what became of the statement in flight.
 *
 * @throws {MigrationError} Where no statement waits for an answer, or it isn't the one in the file.
 */
export async function answerIntent(
  db: Database,
  answer: Answer & { files: readonly MigrationFile[] },
  options: RunnerOptions,
): Promise<void> {
  await underLease(db, options, (run, state) => noteAnswer(run, state, answer));
}

async function noteAnswer(
  run: Run,
  { progress }: JournalState,
  { files, version, outcome }: Answer & { files: readonly MigrationFile[] },
): Promise<void> {
  const file = findVersion(files, version);
  const isAsked = progress?.intent && file &&
    compareVersions(progress.version, version) === 0;
  if (!isAsked) {
    throw new MigrationError(
      `Cannot repair ${version}: no statement of it waits for an answer; look at the status`,
      { version },
    );
  }
  const [problem] = flightProblems(file, progress);
  if (problem !== undefined) {
    const { message, line } = problem;
    throw new MigrationError(message, { version, file: file.path, line });
  }
  const { direction, intent } = progress;
  const done = [...progress.done];
  if (outcome === "done") {
    done.push(statementsOf(file, direction)[intent!.ordinal].hash);
  }
  const { tables, lease: { fence }, signal } = run;
  signal?.throwIfAborted();
  const note = {
    version: progress.version,
    direction,
    done,
    cursor: null,
    error: null,
  };
  await writeJournal(
    run,
    done.length === 0
      ? clearWrite(tables, fence)
      : progressWrite(tables, fence, note),
  );
}
