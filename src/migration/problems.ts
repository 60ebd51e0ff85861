/**
 * What forbids a run: a history that files and journal tell differently, and statements that have
 * no place in a file. Pure.
 *
 * @module
 */

import type { MigrationFile } from "./file.ts";
import type { JournalState, Progress } from "./journal.ts";
import { type PlannedMigration, statementsOf } from "./planned.ts";
import { isInFlight, VersionMap } from "./versions.ts";

/** What forbids a run, or what `verify()` found. */
export interface Problem {
  /** What is wrong, for programs. */
  readonly type:
    | "edited"
    | "missing"
    | "out-of-order"
    | "half-applied"
    | "no-undo"
    | "transaction-statement"
    | "unknown-target";
  /** What is wrong and what to do, for people. */
  readonly message: string;
  /** The migration's version. */
  readonly version?: string;
  /** The file. */
  readonly file?: string;
  /** The line in the file, from 1. */
  readonly line?: number;
}

/** Finds what is wrong with the history: edited and missing files, half-applied migrations. */
export function historyProblems(
  files: readonly MigrationFile[],
  { applied, progress }: JournalState,
): Problem[] {
  const problems: Problem[] = [];
  const byVersion = new VersionMap(files);
  for (const row of applied) {
    const file = byVersion.get(row.version);
    if (file === undefined) {
      problems.push({
        type: "missing",
        version: row.version,
        message:
          `The file of the applied migration ${row.version} (${row.description}) is missing; ` +
          "restore it, or keep migrations of another folder in a table of their own",
      });
    } else if (
      row.checksum !== null && row.checksum !== file.checksum &&
      !isInFlight(progress, row.version)
    ) {
      problems.push({
        type: "edited",
        version: row.version,
        file: file.path,
        message:
          `The migration ${file.path} was edited after it was applied on ${row.applied_at.toISOString()}; restore the file, and make the change in a new migration`,
      });
    }
  }
  if (progress === undefined) return problems;
  const file = byVersion.get(progress.version);
  if (file === undefined) {
    problems.push({
      type: "missing",
      version: progress.version,
      message: `The file of the half-${
        progress.direction === "up" ? "applied" : "undone"
      } migration ${progress.version} is missing; restore it`,
    });
    return problems;
  }
  return [...problems, ...flightProblems(file, progress)];
}

/** The statements that an earlier run has done may not change. */
export function flightProblems(
  file: MigrationFile,
  progress: Progress | undefined,
): Problem[] {
  if (progress === undefined) return [];
  const statements = statementsOf(file, progress.direction);
  const changed = progress.done.findIndex((hash, index) =>
    statements[index]?.hash !== hash
  );
  if (changed < 0) return [];
  return [{
    type: "edited",
    version: file.version,
    file: file.path,
    line: statements[changed]?.line,
    message: `Cannot go on with ${file.path}${
      statements[changed] ? `:${statements[changed].line}` : ""
    }: statement ${
      changed + 1
    } was edited or removed after it was done; restore it, and change only what comes after the ${progress.done.length} statements that are done`,
  }];
}

/** How statements begin that steer transactions; most others needn't be read for that. */
const TRANSACTION =
  /^(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE|SET)\b/i;

/** What a file's statements may not be. */
export function contentProblems(
  { file, statements }: PlannedMigration,
): Problem[] {
  return statements
    .filter((planned) =>
      TRANSACTION.test(planned.statement.text) && planned.kind === "transaction"
    )
    .map(({ statement, verb }) => ({
      type: "transaction-statement",
      version: file.version,
      file: file.path,
      line: statement.line,
      message:
        `Cannot run ${verb} in ${file.path}:${statement.line}: statements are run and noted one by one, ` +
        "for CockroachDB commits an open transaction before a schema change; remove it",
    }));
}
