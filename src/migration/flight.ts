/**
 * A migration under way: what its statements have in common, whichever way they are run.
 *
 * @module
 */

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

/** The note that closes the migration. */
export function landingNote({ run, migration, startedAt }: Flight): string {
  const { tables, lease, by } = run;
  const { version, description, file, direction } = migration;
  if (direction === "down") return undoneWrite(tables, lease.fence, version);
  const durationMs = performance.now() - startedAt;
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
  /^(SET|RESET)\s+(SESSION\s+|LOCAL\s+)?(ROLE|AUTHORIZATION)\b/i;

/**
 * Sends a statement.
 *
 * @param opening SQL that goes before it in the same message.
 */
export async function send(
  { run }: Flight,
  { statement, kind }: PlannedStatement,
  opening = "",
): Promise<void> {
  try {
    await run.session.query(opening + statement.text, [], {
      timeoutMs: statement.directives.timeoutMs,
      signal: AbortSignal.any([run.cancel, run.lease.lost]),
    });
  } catch (error) {
    throw withoutOpening(error, opening);
  }
  if (kind === "session" && ROLE_CHANGE.test(statement.text)) {
    run.role = statement.text;
  }
}

/** A position counts from the beginning of the message: takes off what was put before. */
function withoutOpening(error: unknown, opening: string): unknown {
  if (
    !(error instanceof DatabaseError) || error.position === undefined ||
    opening === ""
  ) {
    return error;
  }
  const { notices, statement, cause } = error;
  const position = Math.max(1, error.position - opening.length);
  const fields = { ...error, message: error.message, position };
  return new DatabaseError(fields, {
    statement: statement?.slice(opening.length),
    notices,
    cause,
  });
}
