/**
 * What a run says when a statement fails: where, why, what is done, what isn't, and what to do. Pure.
 *
 * @module
 */

import { DatabaseError, MigrationError } from "../errors.ts";
import { caret, offsetOfPosition, position } from "../sql.ts";
import type { PlannedMigration, PlannedStatement } from "./planned.ts";

/** What is known of a failed statement beside its error. */
export interface FailureOptions {
  /** How many statements of the migration are done and stay done. */
  readonly done: number;
  /** What the statement that failed may have left: `"nothing"`, or its outcome is open. */
  readonly outcome: "nothing" | "unknown";
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
  const { done, outcome } = options;
  const wire = error instanceof DatabaseError ? error : undefined;
  const offset = statement.offset +
    (wire?.position === undefined
      ? 0
      : offsetOfPosition(statement.text, wire.position));
  const { line, column } = position(file.text, offset);
  const verb = direction === "up" ? "apply" : "roll back";
  const reason = (error instanceof Error ? error.message : String(error))
    // The time limit of a migration's statement is in its file.
    .replace("raise timeoutMs", "raise its -- @TIMEOUT");
  const total = direction === "up"
    ? file.statements.length
    : file.undoStatements?.length ?? 0;
  const again = direction === "up" ? "migrate" : "rollback";
  const state = outcome === "unknown"
    ? `Whether statement ${number} of ${total} took effect isn't known yet: run ${again} again, it finds out by itself and goes on.`
    : `${doneSentence(done, direction)} Mend the file${
      done > 0 ? ` from statement ${number} on` : ""
    }, and run ${again} again.`;
  const lines = [
    `Cannot ${verb} ${file.path}:${line}:${column}: ${reason}${
      wire ? ` (SQLSTATE ${wire.code})` : ""
    }`,
    ...caret(file.text, offset).split("\n").map((text) => `  ${text}`),
    ...(wire?.detail ? [`Detail: ${wire.detail}`] : []),
    ...(wire?.hint ? [`Hint: ${wire.hint}`] : []),
    ...(wire?.notices ?? []).map(({ severity, message }) =>
      `${severity}: ${message}`
    ),
    ...indexLeft(statement.text),
    state,
  ];
  return new MigrationError(lines.join("\n"), {
    version,
    file: file.path,
    line,
    column,
    cause: error,
  });
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

function doneSentence(done: number, direction: "up" | "down"): string {
  const state = direction === "up"
    ? "the migration is not applied"
    : "the migration stays applied";
  if (done === 0) return `Nothing of it is done, ${state}.`;
  const which = done === 1 ? "Statement 1 is" : `Statements 1 to ${done} are`;
  return `${which} done and noted, the rest is not; ${state}.`;
}
