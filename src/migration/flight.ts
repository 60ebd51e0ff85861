/**
 * A migration under way: what its statements have in common, whichever way they are run.
 *
 * @module
 */

import type { RowSink } from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";
import type { StatementPlace } from "./events.ts";
import {
  appliedWrite,
  clearWrite,
  type ProgressNote,
  progressWrite,
  undoneWrite,
} from "./journal_notes.ts";
import {
  type PlannedMigration,
  type PlannedStatement,
  statementsOf,
} from "./planned.ts";
import { retried, type Run } from "./run.ts";

/** A migration under way. */
export interface Flight {
  /** The run. */
  readonly run: Run;
  /** The migration. */
  readonly migration: PlannedMigration;
  /** The hashes of the statements that are done. */
  readonly done: string[];
  /** How far the backfill under way has come; `null` where none is. */
  cursor: string | null;
  /** When it was begun, by `performance.now()`. */
  readonly startedAt: number;
}

/** A statement was sent and its outcome is open; the next run settles it. The cause says why. */
export class UnknownOutcome extends Error {
  /** The class's name. */
  override name = "UnknownOutcome";
}

/** Whether an error leaves open what became of the statement. */
export function isLost(error: unknown): boolean {
  return error instanceof DatabaseError &&
    (error.kind === "connection" || error.kind === "ambiguous");
}

/** Says where in the run a statement stands. */
export function placeOf(
  { migration }: Flight,
  { number }: PlannedStatement,
): StatementPlace {
  const { version, direction, file } = migration;
  return {
    version,
    direction,
    statement: number,
    statements: statementsOf(file, direction).length,
  };
}

/** The note of how far the migration has come. */
export function progressNote(
  flight: Flight,
  more: Partial<ProgressNote> = {},
): string {
  const { run, migration, done } = flight;
  const { version, direction } = migration;
  const note = { version, direction, done, cursor: null, error: null, ...more };
  return progressWrite(run.tables, run.lease.fence, note);
}

/**
 * The note that closes the migration.
 *
 * @param durationMs How long it took: a number, or SQL where it isn't over yet.
 */
export function landingNote(
  { run, migration, startedAt }: Flight,
  durationMs: number | string = performance.now() - startedAt,
): string {
  const { tables, lease, by } = run;
  const { version, description, file, direction } = migration;
  if (direction === "down") return undoneWrite(tables, lease.fence, version);
  const { checksum } = file;
  return appliedWrite(tables, lease.fence, {
    version,
    description,
    checksum,
    durationMs,
    by,
  });
}

/** The note that no migration is under way. */
export function clearNote({ run }: Flight): string {
  return clearWrite(run.tables, run.lease.fence);
}

/** Runs `fn` again while the server asks for that, and says so. */
export function retriedStatement<T>(
  { run, ...rest }: Flight,
  planned: PlannedStatement,
  fn: () => Promise<T>,
): Promise<T> {
  const place = placeOf({ run, ...rest }, planned);
  return retried(run, fn, (attempt, { message }) => {
    run.emit({ type: "statement-retried", attempt, reason: message, ...place });
  });
}

const ROLE_CHANGE =
  /^(?:(?:SET|RESET)\s+(?:SESSION\s+|LOCAL\s+)?(ROLE|AUTHORIZATION)\b|SELECT\s+(?:pg_catalog\s*\.\s*)?set_config\s*\(\s*'(role|session_authorization)')/i;

const DISCARD_ALL = /^DISCARD\s+ALL\b/i;

function roleChange(statement: string): Run["role"] {
  const [found, inSet, inConfig] = ROLE_CHANGE.exec(statement) ?? [];
  if (found === undefined) return undefined;
  const isRole = (inSet ?? inConfig).toUpperCase() === "ROLE";
  const reset = isRole ? "RESET ROLE" : "RESET SESSION AUTHORIZATION";
  return { change: statement, reset };
}

/** What stands between a statement and what follows in its message: a comment may end it. */
export const SEPARATOR = "\n; ";

/** What goes with a statement in the same message. */
export interface SendOptions {
  /** SQL that goes before it. */
  readonly opening?: string;
  /** SQL that goes after it. */
  readonly closing?: string;
  /** Is told whenever a part of the message is done. */
  readonly onDone?: () => void;
}

/** Leaves rows where they come from, and tells whenever a part of a message is done. */
export function counting(onDone?: () => void): RowSink {
  return { start() {}, add() {}, end: onDone };
}

/** Sends a statement. */
export async function send(
  { run }: Flight,
  { statement, kind }: PlannedStatement,
  { opening = "", closing = "", onDone }: SendOptions = {},
): Promise<void> {
  const { text, directives } = statement;
  try {
    await run.session.query(opening + text + closing, [], {
      timeoutMs: directives.timeoutMs,
      signal: run.stop,
      sink: counting(onDone),
    });
  } catch (error) {
    throw placed(error, { opening, text, closing });
  }
  if (kind !== "session") return;
  // CockroachDB keeps the role.
  const isDiscarded = run.kind === "postgresql" && DISCARD_ALL.test(text);
  run.role = isDiscarded ? undefined : roleChange(text) ?? run.role;
}

/** A position counts from the beginning of the message: takes off what was put before and behind. */
function placed(
  error: unknown,
  { opening, text, closing }: Record<"opening" | "text" | "closing", string>,
): unknown {
  if (!(error instanceof DatabaseError) || error.position === undefined) {
    return error;
  }
  const { notices, cause, code } = error;
  const position = error.position - opening.length;
  const end = Array.from(text).length + 1;
  // Where the statement has no end, the semicolon behind it is what can't be understood.
  const isCutShort = closing !== "" && code === "42601" &&
    position === end + SEPARATOR.indexOf(";");
  const message = isCutShort
    ? error.message.replace('at or near ";"', "at end of input")
    : error.message;
  const isInside = position >= 1 && position <= end;
  const fields = {
    ...error,
    message,
    position: isCutShort ? end : isInside ? position : undefined,
  };
  return new DatabaseError(fields, { statement: text, notices, cause });
}
