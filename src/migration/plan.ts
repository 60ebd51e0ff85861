/**
 * The planner: files, journal and wish to steps, or to the problems that forbid them. Pure.
 *
 * @module
 */

import type {
  AppliedMigration,
  Direction,
  JournalState,
  Progress,
} from "./journal.ts";
import {
  compareVersions,
  type MigrationFile,
  type MigrationStatement,
} from "./file.ts";
import {
  classify,
  type StatementInfo,
  type StatementKind,
} from "./statement.ts";

/** A statement to run. */
export interface PlannedStatement {
  /** The statement, and where it stands in its file. */
  readonly statement: MigrationStatement;
  /** Its number, from 1. */
  readonly number: number;
  /** What kind of statement it is. */
  readonly kind: StatementKind;
  /** Its verb, such as `CREATE TABLE`. */
  readonly verb: string;
}

/** A migration to apply or to undo. */
export interface PlannedMigration {
  /** Its version. */
  readonly version: string;
  /** Its description. */
  readonly description: string;
  /** Whether it is applied or undone. */
  readonly direction: Direction;
  /** Its file. */
  readonly file: MigrationFile;
  /** How far an earlier run has come; `undefined` where none was interrupted. */
  readonly progress: Progress | undefined;
  /** How many of its statements an earlier run has done. */
  readonly done: number;
  /** Its statements that are still to run. */
  readonly statements: readonly PlannedStatement[];
}

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

/** What a run would do. */
export interface Plan {
  /** The migrations, in the order in which they would run. */
  readonly migrations: readonly PlannedMigration[];
  /** What forbids the run; a run with problems does nothing. */
  readonly problems: readonly Problem[];
}

/** What `migrate()` is asked for. */
export interface MigrateWish {
  /** Up to and including this version. Default: all. */
  readonly targetVersion?: string;
  /** Whether versions below one that is applied may be pending. */
  readonly allowOutOfOrder?: boolean;
}

/** What `rollback()` is asked for. */
export interface RollbackWish {
  /** How many migrations, newest first. Default: 1. */
  readonly count?: number;
  /** Down to this version, which stays. */
  readonly targetVersion?: string;
}

/** Plans `migrate()`. */
export function planMigrate(
  files: readonly MigrationFile[],
  state: JournalState,
  wish: MigrateWish = {},
): Plan {
  const { targetVersion, allowOutOfOrder = false } = wish;
  const problems = historyProblems(files, state);
  const applied = new VersionMap(state.applied);
  const target = targetVersion === undefined
    ? undefined
    : findVersion(files, targetVersion);
  if (targetVersion !== undefined && target === undefined) {
    problems.push({
      type: "unknown-target",
      version: targetVersion,
      message:
        `Cannot migrate to ${targetVersion}: no file has that version; ` +
        (files.length === 0
          ? "there are no migrations"
          : `the newest is ${files[files.length - 1].version}`),
    });
  }
  const pending = files.filter(({ version }) =>
    !applied.has(version) &&
    (target === undefined || compareVersions(version, target.version) <= 0)
  );
  const newest = newestOf(state.applied);
  for (
    const { version, path } of allowOutOfOrder || newest === undefined
      ? []
      : pending
  ) {
    if (compareVersions(version, newest!.version) > 0) continue;
    if (isInFlight(state.progress, version)) continue;
    problems.push({
      type: "out-of-order",
      version,
      file: path,
      message:
        `Cannot apply ${path}: ${
          newest!.version
        } is applied already and comes after it; ` +
        "give the file a newer version, or allow out-of-order migrations",
    });
  }
  const flight = state.progress;
  const migrations: PlannedMigration[] = [];
  if (flight?.direction === "down") {
    // The interrupted rollback is finished first; its migration is pending again after that.
    const file = findVersion(files, flight.version);
    if (file?.undoStatements) migrations.push(planned(file, "down", flight));
    if (
      file &&
      (target === undefined ||
        compareVersions(file.version, target.version) <= 0)
    ) {
      pending.push(file);
      pending.sort((a, b) => compareVersions(a.version, b.version));
    }
  }
  if (flight?.direction === "up") {
    // What is half applied comes first, wherever its version stands.
    pending.sort((a, b) =>
      Number(isInFlight(flight, b.version)) -
      Number(isInFlight(flight, a.version))
    );
    const wanted = pending.some(({ version }) => isInFlight(flight, version));
    const file = findVersion(files, flight.version);
    if (!wanted && file) pending.unshift(file);
  }
  for (const file of pending) {
    migrations.push(planned(file, "up", flight));
  }
  problems.push(...migrations.flatMap(contentProblems));
  return { migrations, problems };
}

/** Plans `rollback()`. */
export function planRollback(
  files: readonly MigrationFile[],
  state: JournalState,
  wish: RollbackWish = {},
): Plan {
  const { count = 1, targetVersion } = wish;
  const flight = state.progress;
  const problems: Problem[] = [];
  if (flight?.direction === "up") {
    problems.push({
      type: "half-applied",
      version: flight.version,
      message: `Cannot roll back: ${flight.version} is half applied, with ${
        statements(flight.done.length)
      } of it done; finish it with migrate first`,
    });
  }
  const applied = [...state.applied].sort((a, b) =>
    compareVersions(b.version, a.version)
  );
  let chosen: readonly AppliedMigration[];
  if (targetVersion === undefined) {
    if (!(Number.isSafeInteger(count) && count >= 0) && count !== Infinity) {
      throw new RangeError(
        `Cannot roll back ${count} migrations: count is a whole number from 0`,
      );
    }
    chosen = applied.slice(0, count);
  } else {
    chosen = applied.filter(({ version }) =>
      compareVersions(version, targetVersion) > 0
    );
    if (
      !applied.some(({ version }) =>
        compareVersions(version, targetVersion) === 0
      )
    ) {
      problems.push({
        type: "unknown-target",
        version: targetVersion,
        message: `Cannot roll back to ${targetVersion}: it isn't applied; ` +
          (applied.length === 0
            ? "nothing is"
            : `the newest that is applied is ${applied[0].version}`),
      });
    }
  }
  if (flight?.direction === "down") {
    const isBegun = ({ version }: AppliedMigration) =>
      isInFlight(flight, version);
    chosen = [
      ...state.applied.filter(isBegun),
      ...chosen.filter((row) => !isBegun(row)),
    ];
  }
  const migrations: PlannedMigration[] = [];
  for (const { version, description } of chosen) {
    const file = findVersion(files, version);
    if (file === undefined) {
      problems.push({
        type: "missing",
        version,
        message:
          `Cannot roll back ${version} (${description}): its file is missing, and with it the undo part; restore the file`,
      });
    } else if (file.undoStatements === undefined) {
      problems.push({
        type: "no-undo",
        version,
        file: file.path,
        message:
          `Cannot roll back ${file.path}: it has no undo part; add one below a line "-- @UNDO"`,
      });
    } else {
      const next = planned(file, "down", flight);
      problems.push(...flightProblems(file, next.progress));
      migrations.push(next);
    }
  }
  problems.push(...migrations.flatMap(contentProblems));
  return { migrations, problems };
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
function flightProblems(
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
function contentProblems({ file, statements }: PlannedMigration): Problem[] {
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

function planned(
  file: MigrationFile,
  direction: Direction,
  flight: Progress | undefined,
): PlannedMigration {
  const { version, description } = file;
  const progress =
    flight?.direction === direction && isInFlight(flight, version)
      ? flight
      : undefined;
  const done = progress?.done.length ?? 0;
  const statements = statementsOf(file, direction).slice(done).map(
    (statement, index) => new LazyPlanned(statement, done + index + 1),
  );
  return { version, description, direction, file, progress, done, statements };
}

/** A planned statement that is read when somebody asks what kind it is. */
class LazyPlanned implements PlannedStatement {
  #info: StatementInfo | undefined;

  constructor(
    readonly statement: MigrationStatement,
    readonly number: number,
  ) {}

  get kind(): StatementKind {
    return this.#read().kind;
  }

  get verb(): string {
    return this.#read().verb;
  }

  #read(): StatementInfo {
    return this.#info ??= classify(this.statement.text);
  }
}

/** The statements of a file in a direction. */
export function statementsOf(
  file: MigrationFile,
  direction: Direction,
): readonly MigrationStatement[] {
  return direction === "up" ? file.statements : file.undoStatements ?? [];
}

/** The newest of the applied migrations, by version. */
export function newestOf(
  applied: readonly AppliedMigration[],
): AppliedMigration | undefined {
  let newest: AppliedMigration | undefined;
  for (const row of applied) {
    if (
      newest === undefined || compareVersions(row.version, newest.version) > 0
    ) newest = row;
  }
  return newest;
}

/** Finds what has a version; `001` and `1` are the same. */
export function findVersion<T extends { version: string }>(
  items: readonly T[],
  version: string,
): T | undefined {
  return items.find((item) => item.version === version) ??
    (/^\d+$/.test(version)
      ? items.find((item) => compareVersions(item.version, version) === 0)
      : undefined);
}

function isInFlight(progress: Progress | undefined, version: string): boolean {
  return progress !== undefined &&
    compareVersions(progress.version, version) === 0;
}

function statements(count: number): string {
  return count === 1 ? "1 statement" : `${count} statements`;
}

/** Finds items by version, whatever zeros it begins with. */
class VersionMap<T extends { version: string }> {
  readonly #items: Map<string, T>;

  constructor(items: readonly T[]) {
    this.#items = new Map(items.map((item) => [canonical(item.version), item]));
  }

  has(version: string): boolean {
    return this.#items.has(canonical(version));
  }

  get(version: string): T | undefined {
    return this.#items.get(canonical(version));
  }
}

function canonical(version: string): string {
  return version.replace(/^0+(?=.)/, "");
}
