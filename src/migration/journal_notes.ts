/**
 * What a run writes into the journal. Every note names the fence, and one that meets another fence
 * fails, so a runner that has lost its lease can't write. Notes are texts without arguments, for
 * that of a data statement goes out together with COMMIT. Pure.
 *
 * @module
 */

import { quoteLiteral } from "../sql.ts";
import type { JournalTables, Progress } from "./journal.ts";

/** What {@linkcode progressWrite} writes. */
export interface ProgressNote extends Omit<Progress, "intent"> {
  /** The schema change that is to be sent. */
  readonly intent?: {
    /** Its index, from 0. */
    readonly ordinal: number;
    /** Its hash: another text can't tell what became of it. */
    readonly hash: string;
    /** SQL that says whether the catalog holds its effects already; `undefined`: it can't be told. */
    readonly predicate: string | undefined;
    /** SQL for what has to be known before; `undefined`: nothing has to. */
    readonly facts?: string;
  };
}

/** Writes how far a migration has come. */
export function progressWrite(
  tables: JournalTables,
  fence: string,
  note: ProgressNote,
): string {
  const { version, intent, ...rest } = note;
  const progress = JSON.stringify({
    ...rest,
    intent: intent ? { ordinal: intent.ordinal, hash: intent.hash } : null,
  });
  return fenced([
    `UPDATE ${tables.journal} SET version = ${quoteLiteral(version)}, ` +
    `progress = ${quoteLiteral(progress)}, intent_at = ${
      intent ? "now()" : "NULL"
    }, ` +
    `intent_before = ${intent?.predicate ?? "NULL"}, intent_facts = ${
      intent?.facts ?? "NULL"
    } WHERE id = 1 AND fence = ${fence}`,
  ]);
}

/** What is noted of a migration that was applied. */
export interface AppliedNote {
  /** The version. */
  readonly version: string;
  /** The description. */
  readonly description: string;
  /** The checksum of its file. */
  readonly checksum: string | null;
  /** How long it took, in milliseconds: a number, or SQL that gives it. */
  readonly durationMs: number | string | null;
  /** Who applied it. */
  readonly by: string;
}

/** How long a transaction has taken, in milliseconds. */
export const SINCE_BEGIN =
  "(extract(epoch FROM clock_timestamp() - now()) * 1000)::INT8";

/** Closes the migration in flight as applied. */
export function appliedWrite(
  tables: JournalTables,
  fence: string,
  note: AppliedNote,
): string {
  const { version, description, checksum, durationMs, by } = note;
  const values = [
    quoteLiteral(version),
    quoteLiteral(description),
    "now()",
    checksum === null ? "NULL" : quoteLiteral(checksum),
    typeof durationMs === "number"
      ? String(Math.round(durationMs))
      : durationMs ?? "NULL",
    quoteLiteral(by),
  ].join(", ");
  return fenced([
    landing(tables, fence),
    `INSERT INTO ${tables.applied} (version, description, applied_at, checksum, duration_ms, ` +
    `applied_by) SELECT ${values} FROM step1`,
  ]);
}

/** Closes the migration in flight as undone. */
export function undoneWrite(
  tables: JournalTables,
  fence: string,
  version: string,
): string {
  return fenced([
    landing(tables, fence),
    `DELETE FROM ${tables.applied} WHERE version = ${quoteLiteral(version)} ` +
    "AND EXISTS (SELECT 1 FROM step1)",
  ]);
}

/** Says that no migration is in flight. */
export function clearWrite(tables: JournalTables, fence: string): string {
  return fenced([landing(tables, fence)]);
}

/** Forgets the migration in flight, and fails nowhere. */
export function landing(tables: JournalTables, fence: string): string {
  return `UPDATE ${tables.journal} SET version = NULL, progress = NULL, ` +
    `intent_at = NULL, intent_before = NULL, intent_facts = NULL WHERE id = 1 AND fence = ${fence}`;
}

/**
 * Makes one statement of several that fails with 22012 where the first, which asks for the fence,
 * affects no row. So it can go out in one message with COMMIT, and still keep a
 * transaction of a runner without a lease from committing.
 */
function fenced(steps: string[]): string {
  const named = steps.map((step, index) =>
    `step${index + 1} AS (${step} RETURNING 1)`
  );
  return `WITH ${
    named.join(", ")
  } SELECT 1 / count(*), current_database() FROM step1`;
}

/** The SQLSTATE of a write that met another fence. */
export const FENCED_OFF = "22012";
