/**
 * What a run says when a statement fails: where, why, what is done, what isn't, and what to do. Pure.
 *
 * @module
 */

import { DatabaseError, MigrationError } from "../errors.ts";
import { caret, offsetOfPosition, position } from "../sql.ts";
import {
  type PlannedMigration,
  type PlannedStatement,
  statementsOf,
} from "./planned.ts";

/** What is known of a failed statement beside its error. */
export interface FailureOptions {
  /** How many statements of the migration are done and stay done. */
  readonly done: number;
  /** The last key that the statement that failed has done, where it is a backfill. */
  readonly upTo?: string;
  /** What parts of the statement that failed are done, where some are. */
  readonly parts?: string;
  /**
   * What the statement that failed may have left: `"nothing"`, or its outcome is open, or that of
   * the note that closes the migration (`"unconfirmed"`).
   */
  readonly outcome: "nothing" | "unknown" | "unconfirmed";
}

const CONCURRENT_INDEX =
  /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(ON\b)?/i;

/** Describes the failure of a statement of a migration. */
export function statementFailure(
  error: unknown,
  migration: PlannedMigration,
  planned: PlannedStatement,
  options: FailureOptions,
): MigrationError {
  const { file, direction, version } = migration;
  const { statement, number } = planned;
  const wire = error instanceof DatabaseError ? error : undefined;
  const offset = statement.offset +
    (wire?.position === undefined
      ? 0
      : offsetOfPosition(statement.text, wire.position));
  const { line, column } = position(file.text, offset);
  const reason = reasonOf(error);
  const lines = [
    `Cannot ${VERBS[direction]} ${file.path}:${line}:${column}: ${reason}${
      wire ? ` (SQLSTATE ${wire.code})` : ""
    }`,
    ...caret(file.text, offset).split("\n").map((text) => `  ${text}`),
    ...(wire?.detail ? [`Detail: ${wire.detail}`] : []),
    ...(wire?.hint ? [`Hint: ${wire.hint}`] : []),
    ...(wire?.where ? [`Context: ${wire.where}`] : []),
    ...(wire?.notices ?? []).map(({ severity, message }) =>
      `${severity}: ${message}`
    ),
    ...indexLeft(statement.text),
    stateSentences(migration, number, { ...options, error: wire }),
  ];
  return new MigrationError(lines.join("\n"), {
    version,
    file: file.path,
    line,
    column,
    cause: error,
  });
}

/** Says why a statement of a migration failed, with advice for who wrote its file. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error))
    // The time limit of a migration's statement is in its file.
    .replace("raise timeoutMs", "raise its -- @TIMEOUT");
}

/** Describes the loss of the answer to the note that closes a migration without statements. */
export function landingFailure(
  error: DatabaseError,
  migration: PlannedMigration,
): MigrationError {
  const { direction, file, version } = migration;
  return new MigrationError(
    `Cannot ${
      VERBS[direction]
    } ${file.path}: ${error.message} (SQLSTATE ${error.code})\n` +
      landingSentence(migration),
    { version, file: file.path, cause: error },
  );
}

const VERBS = { up: "apply", down: "roll back" } as const;
/** Which call the migration was one of isn't known here, and the same one again may undo too many. */
const GOING_ON = {
  up: { again: "migrate again", counts: "" },
  down: { again: "rollback", counts: "; this migration counts as its first" },
} as const;

/** What is done, and what to do. */
function stateSentences(
  migration: PlannedMigration,
  number: number,
  options: FailureOptions & { error?: DatabaseError },
): string {
  const { direction, file } = migration;
  const { done, upTo, parts, outcome, error } = options;
  const { again, counts } = GOING_ON[direction];
  if (outcome === "unconfirmed") return landingSentence(migration);
  if (outcome === "unknown") {
    const total = statementsOf(file, direction).length;
    return `${
      doneBefore(done)
    }Whether statement ${number} of ${total} took effect isn't known yet: run ${again}, it finds out by itself and goes on${counts}.`;
  }
  if (parts !== undefined) {
    return `${
      doneBefore(done)
    }Of statement ${number} a part is done (${parts}), the rest is not; ${
      STATES[direction]
    }. ` +
      `Undo that part, or take it out of the file, then mend the rest, and run ${again}${counts}.`;
  }
  const isPassing = error?.kind === "connection" || error?.kind === "retryable";
  const mending = done > 0 || upTo !== undefined
    ? `Mend the file from statement ${number} on, and run`
    : "Mend the file, and run";
  const behind = upTo === undefined ? "" : ": it goes on behind that key";
  return `${doneSentence(options, direction)} ${
    isPassing ? "Run" : mending
  } ${again}${behind}${counts}.`;
}

/** A rollback that is done must not be run again: it would undo another migration. */
function landingSentence({ direction, version }: PlannedMigration): string {
  const { again, counts } = GOING_ON[direction];
  return direction === "up"
    ? `Whether it is applied isn't known yet: run ${again}, it finds out by itself and goes on.`
    : `Whether it is rolled back isn't known yet: run crdb status first; where ${version} is no longer applied, ` +
      `its rollback is done and counts, else run ${again}${counts}.`;
}

/** The next run knows by its name what is left of an index. */
function indexLeft(text: string): string[] {
  const [found, on] = CONCURRENT_INDEX.exec(text) ?? [];
  if (found === undefined) return [];
  const kept = "PostgreSQL keeps such an index, which isn't valid then: ";
  return [
    kept +
    (on === undefined
      ? "the next run of this statement drops it first."
      : "drop it before you run this again."),
  ];
}

const STATES = {
  up: "the migration is not applied",
  down: "the migration stays applied",
} as const;

function wholeSentence(done: number): string {
  return done === 1 ? "Statement 1 is" : `Statements 1 to ${done} are`;
}

function doneBefore(done: number): string {
  return done > 0 ? `${wholeSentence(done)} done and noted. ` : "";
}

function doneSentence(
  { done, upTo }: FailureOptions,
  direction: "up" | "down",
): string {
  const state = STATES[direction];
  if (done === 0 && upTo === undefined) {
    return `Nothing of it is done, ${state}.`;
  }
  const whole = wholeSentence(done);
  const part = `${done + 1} up to key ${upTo}`;
  const which = upTo === undefined
    ? `${whole} done and noted`
    : done === 0
    ? `Statement ${part} is done and noted`
    : `${whole} done and noted, statement ${part}`;
  return `${which}, the rest is not; ${state}.`;
}
