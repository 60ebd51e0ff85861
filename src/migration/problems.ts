/**
 * What forbids a run: a history that files and journal tell differently, and statements that have
 * no place in a file. Pure.
 *
 * @module
 */

import { MigrationError } from "../errors.ts";
import { belongsToFirst, readCursor } from "./cursor.ts";
import { compareVersions, type MigrationFile } from "./file.ts";
import type { JournalState, Progress } from "./journal.ts";
import { type PlannedMigration, statementsOf } from "./planned.ts";
import { NO_STEERING, steeringVerb } from "./steering.ts";
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
    | "unknown-target"
    | "unreadable";
  /** What is wrong and what to do, for people. */
  readonly message: string;
  /** The migration's version. */
  readonly version?: string;
  /** The file. */
  readonly file?: string;
  /** The line in the file, from 1. */
  readonly line?: number;
}

/**
 * Finds what is wrong with the history, in the order of the versions: edited and missing files,
 * and last what the migration in flight lacks.
 */
export function historyProblems(
  files: readonly MigrationFile[],
  { applied, progress }: JournalState,
): Problem[] {
  const problems: (Problem & { version: string })[] = [];
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
  // A server gives rows in any order.
  problems.sort((a, b) => compareVersions(a.version, b.version));
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

/** The statements that an earlier run has done, or has sent, may not change. */
export function flightProblems(
  file: MigrationFile,
  progress: Progress | undefined,
): Problem[] {
  if (progress === undefined) return [];
  const statements = statementsOf(file, progress.direction);
  const changed = progress.done.findIndex((hash, index) =>
    statements[index]?.hash !== hash
  );
  if (changed < 0) {
    return [
      ...intentProblems(file, progress),
      ...cursorProblems(file, progress),
    ];
  }
  return [{
    type: "edited",
    version: file.version,
    file: file.path,
    line: statements[changed]?.line,
    message: `Cannot go on with ${file.path}${
      statements[changed] ? `:${statements[changed].line}` : ""
    }: statement ${
      changed + 1
    } was edited or removed after it was done; restore it, and change only what comes after ${
      progress.done.length === 1
        ? "the statement that is done"
        : `the ${progress.done.length} statements that are done`
    }`,
  }];
}

/** What became of a statement can't be told by another one. */
function intentProblems(
  file: MigrationFile,
  { direction, intent }: Progress,
): Problem[] {
  if (intent === null) return [];
  const { ordinal, hash } = intent;
  const statement = statementsOf(file, direction)[ordinal];
  const isSame = statement !== undefined &&
    (hash === undefined || statement.hash === hash);
  if (isSame) return [];
  return [{
    type: "edited",
    version: file.version,
    file: file.path,
    line: statement?.line,
    message:
      `Cannot go on with ${file.path}${
        statement ? `:${statement.line}` : ""
      }: statement ${
        ordinal + 1
      } was edited or removed after it was sent, and what became of it isn't known yet; ` +
      "restore it until a run has found that out",
  }];
}

/** Behind the key of one backfill another would leave out rows, and from the first on it changes some twice. */
function cursorProblems(
  file: MigrationFile,
  { direction, done, cursor }: Progress,
): Problem[] {
  if (cursor === null) return [];
  const begun = readCursor(cursor);
  const statements = statementsOf(file, direction).slice(done.length);
  if (belongsToFirst(begun, statements)) return [];
  const { table, key, last } = begun;
  const line = statements[0]?.line;
  return [{
    type: "edited",
    version: file.version,
    file: file.path,
    line,
    message:
      `Cannot go on with ${file.path}${
        line === undefined ? "" : `:${line}`
      }: statement ${
        done.length + 1
      } was the backfill of ${table} that is done up to the ${key} ${last}, and now may be another one; ` +
      `restore its place and its directive, mend only what stands below that, and leave other backfills of ${table} to a later migration`,
  }];
}

/** What a file's statements may not be; the undo part can't be mended once the migration is applied. */
export function contentProblems(
  { file, direction, statements }: PlannedMigration,
): Problem[] {
  const problems: Problem[] = [];
  const texts = statements.map(({ statement }) => statement);
  if (direction === "up") texts.push(...file.undoStatements ?? []);
  for (const { text, line } of texts) {
    const verb = steeringVerb(text);
    if (verb === undefined) continue;
    problems.push({
      type: "transaction-statement",
      version: file.version,
      file: file.path,
      line,
      message: `Cannot run ${verb} in ${file.path}:${line}: ${NO_STEERING}`,
    });
  }
  return problems;
}

/** Says that a migration is half applied or half undone. */
export function unfinishedProblem(
  { version, direction, error }: Progress,
): Problem {
  const [state, command] = direction === "up"
    ? ["applied", "migrate"]
    : ["undone", "rollback"];
  const reason = error === null ? "" : `: ${error}`;
  return {
    type: "half-applied",
    version,
    message:
      `The migration ${version} is half ${state}${reason}; run ${command} to finish it`,
  };
}

/** Says that a file can't be read, or not be ordered among the others. */
export function unreadableProblem(error: MigrationError): Problem {
  const { message, version, file, line } = error;
  return { type: "unreadable", message, version, file, line };
}

/**
 * Makes a problem of the error of one migration's file.
 *
 * @throws {unknown} Any other error, as it is.
 */
export function fileProblem(error: unknown): Problem {
  const isFile = error instanceof MigrationError &&
    /\.sql$/i.test(error.file ?? "");
  if (!isFile) throw error;
  return unreadableProblem(error);
}

/** What a file seems to be that can't be read. */
const CONSEQUENCES: readonly Problem["type"][] = ["missing", "unknown-target"];

/**
 * Puts the reason why a file can't be read in the place of what seems to follow from it.
 *
 * @param unreadable The errors of the files that can't be read.
 */
export function blameUnreadable(
  problems: readonly Problem[],
  unreadable: readonly MigrationError[],
): Problem[] {
  const reasons = new VersionMap(
    unreadable.map(unreadableProblem)
      .filter((one): one is Problem & { version: string } =>
        one.version !== undefined
      ),
  );
  return problems.map((problem) =>
    problem.version !== undefined && CONSEQUENCES.includes(problem.type)
      ? reasons.get(problem.version) ?? problem
      : problem
  );
}
