/**
 * The journal: which migrations are applied, and how far the one in flight has come.
 *
 * `_migrations` holds one row per applied migration and nothing else, so that other readers of the
 * table, such as the Python client, are never misled. `_migrations_journal` holds one row: the fence
 * of the runner that may write, and the migration in flight. Every write names the fence, and one
 * that meets another fence fails, so a runner that has lost its lease can't write.
 *
 * Writes are texts without arguments, for a data statement's row goes out together with COMMIT.
 *
 * @module
 */

import type { Session } from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";
import { quoteIdentifier, quoteLiteral, quoteName, splitName } from "../sql.ts";
import { decodeRows } from "../database/values.ts";
import { type ServerKind, sessionName } from "./server.ts";

/** A row of the table of applied migrations. */
export interface AppliedMigration {
  /** The version. */
  version: string;
  /** The description. */
  description: string;
  /** When it was applied, by the database's clock. */
  applied_at: Date;
  /** The checksum of its file; `null` where another tool, or `baseline()`, wrote the row. */
  checksum: string | null;
  /** How long it took, in milliseconds; `null` where that isn't known. */
  duration_ms: number | null;
  /** Who applied it; `null` where that isn't known. */
  applied_by: string | null;
}

/** Whether a migration is applied or undone. */
export type Direction = "up" | "down";

/** A schema change that was sent, as it is noted before. */
export interface Intent {
  /** The statement's index, from 0. */
  readonly ordinal: number;
  /** When the intent was written, by the database's clock. */
  readonly at: Date;
  /** Whether the catalog held the statement's effects before it was sent; `null`: it can't be told. */
  readonly before: boolean | null;
}

/** The migration in flight. */
export interface Progress {
  /** Its version. */
  readonly version: string;
  /** Whether it is applied or undone. */
  readonly direction: Direction;
  /** The hashes of the statements that are done, in order. */
  readonly done: readonly string[];
  /** The schema change whose outcome isn't known. */
  readonly intent: Intent | null;
  /** How far the backfill in flight has come: the last key, as text. */
  readonly cursor: string | null;
  /** Why the last run stopped. */
  readonly error: string | null;
}

/** What the journal says. */
export interface JournalState {
  /** The applied migrations, in no order. */
  readonly applied: readonly AppliedMigration[];
  /** The migration in flight, if one is. */
  readonly progress: Progress | undefined;
  /** Whether all tables and columns are there. */
  readonly complete: boolean;
}

/** The names of the journal's tables, ready for SQL. */
export interface JournalTables {
  /** The applied migrations. */
  readonly applied: string;
  /** The migration in flight. */
  readonly journal: string;
  /** The lease. */
  readonly lease: string;
}

/** Names the journal's tables. */
export function journalTables(table: string): JournalTables {
  const parts = splitName(table);
  const named = (suffix: string) =>
    quoteName(
      [...parts.slice(0, -1), parts[parts.length - 1] + suffix].map(
        quoteIdentifier,
      ).join(
        ".",
      ),
    );
  return {
    applied: named(""),
    journal: named("_journal"),
    lease: named("_lease"),
  };
}

/** Columns that this tool adds to a table of the Python client. */
const COLUMNS = {
  checksum: "TEXT",
  duration_ms: "INT8",
  applied_by: "TEXT",
} as const;

/** Reads the journal in one round trip, where it is complete. */
export async function readJournal(
  session: Session,
  tables: JournalTables,
): Promise<JournalState> {
  const text =
    "SELECT 'applied' AS part, version, description, applied_at, checksum, duration_ms, applied_by, " +
    "NULL::TEXT AS progress, NULL::TIMESTAMPTZ AS intent_at, NULL::BOOL AS intent_before " +
    `FROM ${tables.applied} UNION ALL ` +
    "SELECT 'progress', version, NULL, NULL, NULL, NULL, NULL, progress, intent_at, intent_before " +
    `FROM ${tables.journal} WHERE version IS NOT NULL`;
  try {
    const rows = await read(session, text);
    const flight = rows.find(({ part }) => part === "progress");
    return {
      applied: rows.filter(({ part }) => part === "applied").map(asApplied),
      progress: flight && asProgress(flight),
      complete: true,
    };
  } catch (error) {
    if (!isAbsence(error)) throw error;
    return {
      applied: await readForeign(session, tables),
      progress: undefined,
      complete: false,
    };
  }
}

/** Reads a table that has other columns than ours, or isn't there. */
async function readForeign(
  session: Session,
  tables: JournalTables,
): Promise<AppliedMigration[]> {
  try {
    return (await read(session, `SELECT * FROM ${tables.applied}`)).map(
      asApplied,
    );
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** Makes the journal's tables, and adds to one of the Python client what it lacks. */
export async function setUpJournal(
  session: Session,
  tables: JournalTables,
): Promise<void> {
  for (
    const statement of [
      `CREATE TABLE IF NOT EXISTS ${tables.applied} (version TEXT PRIMARY KEY, description TEXT, ` +
      "applied_at TIMESTAMPTZ NOT NULL DEFAULT now(), " +
      `${
        Object.entries(COLUMNS).map(([name, type]) => `${name} ${type}`).join(
          ", ",
        )
      })`,
      `CREATE TABLE IF NOT EXISTS ${tables.journal} (id INT8 PRIMARY KEY, fence INT8 NOT NULL, ` +
      "version TEXT, progress TEXT, intent_at TIMESTAMPTZ, intent_before BOOL)",
      `CREATE TABLE IF NOT EXISTS ${tables.lease} (id INT8 PRIMARY KEY, fence INT8 NOT NULL, ` +
      "holder TEXT, username TEXT, session TEXT, main_session TEXT, " +
      "acquired_at TIMESTAMPTZ NOT NULL, expires_at TIMESTAMPTZ NOT NULL)",
      `INSERT INTO ${tables.journal} (id, fence) VALUES (1, 0) ON CONFLICT (id) DO NOTHING`,
    ]
  ) await settle(() => session.query(statement));
  const present = await session.query(
    `SELECT * FROM ${tables.applied} LIMIT 0`,
  );
  const names = present.columns.map(({ name }) => name);
  for (const [name, type] of Object.entries(COLUMNS)) {
    if (names.includes(name)) continue;
    const add =
      `ALTER TABLE ${tables.applied} ADD COLUMN IF NOT EXISTS ${name} ${type}`;
    await settle(() => session.query(add));
  }
}

/**
 * Runs a statement that makes what may be made by others at the same moment: such races end in an
 * error on PostgreSQL (23505 on a catalog's index) and in 40001 on CockroachDB.
 */
async function settle(run: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      await run();
      return;
    } catch (error) {
      const race = error instanceof DatabaseError &&
        (error.kind === "retryable" ||
          ["23505", "42P07", "42701", "42710", "XX000"].includes(error.code));
      if (!race || attempt >= 20) throw error;
      await new Promise((resolve) =>
        setTimeout(resolve, Math.random() * 50 * (attempt + 1))
      );
    }
  }
}

/** What {@linkcode progressWrite} writes. */
export interface ProgressNote extends Omit<Progress, "intent"> {
  /** The schema change that is to be sent. */
  readonly intent?: {
    /** Its index, from 0. */
    readonly ordinal: number;
    /** SQL that says whether the catalog holds its effects already; `undefined`: it can't be told. */
    readonly predicate: string | undefined;
  };
}

/** Writes how far a migration has come. */
export function progressWrite(
  tables: JournalTables,
  fence: string,
  note: ProgressNote,
): string {
  const { version, intent, ...rest } = note;
  const progress = JSON.stringify({ ...rest, intent: intent?.ordinal ?? null });
  return fenced([
    `UPDATE ${tables.journal} SET version = ${quoteLiteral(version)}, ` +
    `progress = ${quoteLiteral(progress)}, intent_at = ${
      intent ? "now()" : "NULL"
    }, ` +
    `intent_before = ${
      intent?.predicate ?? "NULL"
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
  /** How long it took, in milliseconds. */
  readonly durationMs: number | null;
  /** Who applied it. */
  readonly by: string;
}

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
    durationMs === null ? "NULL" : String(Math.round(durationMs)),
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

function landing(tables: JournalTables, fence: string): string {
  return `UPDATE ${tables.journal} SET version = NULL, progress = NULL, ` +
    `intent_at = NULL, intent_before = NULL WHERE id = 1 AND fence = ${fence}`;
}

/**
 * Makes one statement of several, each of which affects one row or none, that fails with 22012
 * where the last affects none. So it can go out in one message with COMMIT, and still keep a
 * transaction of a runner without a lease from committing.
 */
function fenced(steps: string[]): string {
  const named = steps.map((step, index) =>
    `step${index + 1} AS (${step} RETURNING 1)`
  );
  return `WITH ${
    named.join(", ")
  } SELECT 1 / count(*) FROM step${steps.length}`;
}

/** The SQLSTATE of a write that met another fence. */
export const FENCED_OFF = "22012";

/** What {@linkcode registerMain} finds out. */
export interface Registration {
  /** The journal's tables, with their schema. */
  readonly tables: JournalTables;
  /** The name of the session, by which others can look for it. */
  readonly mainSession: string;
}

/**
 * Enters the session that runs the migrations into the lease, and names the schema that holds the
 * journal, on CockroachDB the database too, so that no `SET search_path` or `USE` moves it.
 *
 * @returns `undefined` where another runner has taken the lease.
 */
export async function registerMain(
  session: Session,
  table: string,
  { kind, fence }: { kind: ServerKind; fence: string },
): Promise<Registration | undefined> {
  const parts = splitName(table);
  const name = parts[parts.length - 1];
  const { rows } = await session.query(
    `UPDATE ${journalTables(table).lease} SET main_session = ${
      sessionName(kind)
    } ` +
      "WHERE id = 1 AND fence = $1 RETURNING main_session, current_database(), " +
      "(SELECT n.nspname FROM pg_catalog.pg_class c " +
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $2 " +
      "AND n.nspname = ANY(current_schemas(false)) " +
      "ORDER BY array_position(current_schemas(false), n.nspname) LIMIT 1)",
    [fence, name],
  );
  if (rows.length === 0) return undefined;
  const [mainSession, database, found] = rows[0];
  const schema = parts.at(-2) ?? found!;
  const place = kind === "cockroachdb"
    ? [parts.at(-3) ?? database!, schema]
    : [schema];
  return {
    mainSession: mainSession!,
    tables: journalTables([...place, name].map(quoteIdentifier).join(".")),
  };
}

async function read(
  session: Session,
  text: string,
): Promise<Record<string, unknown>[]> {
  const { columns, rows } = await session.query(text);
  return decodeRows(columns, rows, { int8: "auto", timestamps: "date" });
}

function asApplied(row: Record<string, unknown>): AppliedMigration {
  return {
    version: String(row.version),
    description: String(row.description ?? ""),
    applied_at: row.applied_at as Date,
    checksum: (row.checksum ?? null) as string | null,
    duration_ms: (row.duration_ms ?? null) as number | null,
    applied_by: (row.applied_by ?? null) as string | null,
  };
}

function asProgress(row: Record<string, unknown>): Progress {
  const { intent, ...rest } = JSON.parse(row.progress as string);
  return {
    ...rest,
    version: row.version as string,
    intent: intent === null ? null : {
      ordinal: intent,
      at: row.intent_at as Date,
      before: row.intent_before as boolean | null,
    },
  };
}

/** Whether an error says that a table or column isn't there. */
function isAbsence(error: unknown): boolean {
  return error instanceof DatabaseError &&
    ["42P01", "42703", "3F000"].includes(error.code);
}
