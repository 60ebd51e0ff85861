/**
 * A migration as a plan has it: its file, the direction, and the statements that are still to run.
 *
 * @module
 */

import type { MigrationFile, MigrationStatement } from "./file.ts";
import type { Direction, Progress } from "./journal.ts";
import {
  classify,
  type StatementInfo,
  type StatementKind,
} from "./statement.ts";
import { isInFlight } from "./versions.ts";

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
  /** Whether PostgreSQL runs it in a transaction. */
  readonly transactional: boolean;
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

/** What is known of a migration beside its file. */
export interface PlannedOptions {
  /** The migration in flight. */
  readonly flight?: Progress;
  /** The version as the journal has it, where that may begin with other zeros. Default: the file's. */
  readonly version?: string;
}

/** Plans a migration, from where an earlier run was interrupted. */
export function planned(
  file: MigrationFile,
  direction: Direction,
  options: PlannedOptions = {},
): PlannedMigration {
  const { description } = file;
  const { flight, version = file.version } = options;
  const progress =
    flight?.direction === direction && isInFlight(flight, version)
      ? flight
      : undefined;
  const done = progress?.done.length ?? 0;
  const statements = statementsOf(file, direction).slice(done).map(
    (statement, index) => lazilyPlanned(statement, done + index + 1),
  );
  return { version, description, direction, file, progress, done, statements };
}

/** Plans a statement, which is read when somebody asks what kind it is. */
function lazilyPlanned(
  statement: MigrationStatement,
  number: number,
): PlannedStatement {
  let info: StatementInfo | undefined;
  const read = () => info ??= classify(statement.text);
  // Own properties: a copy has them, and so has its JSON.
  return {
    statement,
    number,
    get kind() {
      return read().kind;
    },
    get verb() {
      return read().verb;
    },
    get transactional() {
      return read().transactional;
    },
  };
}

/** The statements of a file in a direction. */
export function statementsOf(
  file: MigrationFile,
  direction: Direction,
): readonly MigrationStatement[] {
  return direction === "up" ? file.statements : file.undoStatements ?? [];
}
