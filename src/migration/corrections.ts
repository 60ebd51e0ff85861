/**
 * Corrections of the journal by hand: a baseline for a database that has the schema already, and
 * the answer to a question that neither journal nor catalog can answer.
 *
 * @module
 */

import { MigrationError } from "../errors.ts";
import { compareVersions, type MigrationFile } from "./file.ts";
import { appliedWrite, clearWrite, progressWrite } from "./journal_notes.ts";
import type { JournalState } from "./journal.ts";
import { statementsOf } from "./planned.ts";
import { flightProblems } from "./problems.ts";
import { type Run, writeJournal } from "./run.ts";
import { findVersion } from "./versions.ts";

/** Notes the migrations up to `target` as applied, and returns how many weren't. */
export async function takeBaseline(
  run: Run,
  { applied, progress }: JournalState,
  { files, target }: { files: readonly MigrationFile[]; target: MigrationFile },
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
  const missing = files.filter(({ version }) =>
    compareVersions(version, target.version) <= 0 &&
    findVersion(applied, version) === undefined
  );
  const { tables, lease, by } = run;
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

/**
 * Notes what became of the statement in flight.
 *
 * @throws {MigrationError} Where no statement waits for an answer, or it isn't the one in the file.
 */
export async function answerIntent(
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
  const { tables, lease: { fence } } = run;
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
