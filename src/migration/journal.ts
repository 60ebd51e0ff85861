/**
 * The journal: which migrations are applied, and how far the one in flight has come.
 *
 * `_migrations` holds one row per applied migration and nothing else, so that other readers of the
 * table, such as the Python client, are never misled. `_migrations_journal` holds one row: the fence
 * of the runner that may write, and the migration in flight.
 *
 * @module
 */

import type { QueryResult, Session } from "../driver/driver.ts";
import { DatabaseError, MigrationError } from "../errors.ts";
import { quoteIdentifier, quoteName, splitName } from "../sql.ts";
import { decodeRows } from "../database/values.ts";
import { readFacts } from "./facts.ts";
import { insist } from "./insist.ts";

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
  /** The statement's hash; earlier notes have none. */
  readonly hash?: string;
  /** When the intent was written, by the database's clock. */
  readonly at: Date;
  /** Whether the catalog held the statement's effects before it was sent; `null`: it can't be told. */
  readonly before: boolean | null;
  /** What was known of its effects before, an item an effect; `null` where nothing had to be. */
  readonly facts: readonly (string | null)[] | null;
  /** Whether the catalog held each effect before, where there are several; `null`: it can't be told. */
  readonly held?: readonly (boolean | null)[];
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
  /** How far the backfill in flight has come, as only itself reads it. */
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

/** The query for all that the journal says; it may have more parts added by UNION ALL. */
export function journalQuery(tables: JournalTables): string {
  // A table that was taken over may have numbers for versions, and texts of a width: to that of the
  // first part CockroachDB cuts those of the others.
  return "SELECT 'applied' AS part, version::TEXT AS version, description::TEXT AS description, " +
    "applied_at, checksum, duration_ms, applied_by, " +
    "NULL::TEXT AS progress, NULL::TIMESTAMPTZ AS intent_at, NULL::BOOL AS intent_before, " +
    "NULL::TEXT AS intent_facts " +
    `FROM ${tables.applied} UNION ALL ` +
    "SELECT 'progress', version, NULL, NULL, NULL, NULL, NULL, progress, intent_at, intent_before, intent_facts " +
    `FROM ${tables.journal}`;
}

/** Makes of a query's rows what the journal says. */
export function journalState(rows: readonly JournalRow[]): JournalState {
  const journal = rows.find(({ part }) => part === "progress");
  return {
    applied: rows.filter(({ part }) => part === "applied").map(asApplied),
    progress: journal?.progress ? asProgress(journal) : undefined,
    // The set-up ends with this row.
    complete: journal !== undefined,
  };
}

/**
 * Reads the journal in one round trip, where it is complete.
 *
 * @throws {MigrationError} A journal that the role may not read; a table of another program.
 */
export async function readJournal(
  session: Session,
  tables: JournalTables,
): Promise<JournalState> {
  try {
    return journalState(await readRows(session, journalQuery(tables)));
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
    const text = `SELECT * FROM ${tables.applied}`;
    const result = await read(session, text);
    checkColumns(tables, result);
    return decoded(result).map(asApplied);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** Those that the Python client's table has, too. */
const COLUMNS = ["version", "description", "applied_at"];

/** Refuses a table that somebody has made for something else. */
function checkColumns(
  { applied }: JournalTables,
  { columns }: QueryResult,
): void {
  const missing = COLUMNS.filter((name) =>
    columns.every((column) => column.name !== name)
  );
  if (missing.length === 0) return;
  const last = missing.pop();
  const names = missing.length === 0
    ? `the column ${last}`
    : `the columns ${missing.join(", ")} and ${last}`;
  throw new MigrationError(
    `Cannot use ${
      splitName(applied).join(".")
    } as the journal: it is another program's table, ` +
      `without ${names}; name another with the option table (--table)`,
  );
}

/** A row of the journal's query. */
export type JournalRow = Readonly<Record<string, unknown>>;

/**
 * Reads rows of the journal's.
 *
 * @throws {MigrationError} A journal that the role may not read.
 */
export async function readRows(
  session: Session,
  text: string,
  args: readonly string[] = [],
): Promise<JournalRow[]> {
  return decoded(await read(session, text, args));
}

async function read(
  session: Session,
  text: string,
  args: readonly string[] = [],
): Promise<QueryResult> {
  try {
    return await insist(() => session.query(text, args));
  } catch (error) {
    throw readingFailure(error);
  }
}

function decoded({ columns, rows }: QueryResult): JournalRow[] {
  return decodeRows(columns, rows, { int8: "auto", timestamps: "date" });
}

function readingFailure(error: unknown): unknown {
  if (!(error instanceof DatabaseError) || error.kind !== "permission") {
    return error;
  }
  return new MigrationError(
    `Cannot read the migrations' journal: ${error.message}; ` +
      "grant the role USAGE on its schema and SELECT, INSERT, UPDATE and DELETE on its tables",
    { cause: error },
  );
}

/**
 * Says what a write to the journal or the lease lacks.
 *
 * @returns A `MigrationError` where a right, a table or a column is missing; else the error itself.
 */
export function writingFailure(error: unknown): unknown {
  const isLack = error instanceof DatabaseError &&
    ["permission", "undefined", "syntax"].includes(error.kind);
  if (!isLack) return error;
  return new MigrationError(
    `Cannot write the migrations' journal: ${error.message}; ` +
      "grant the role SELECT, INSERT, UPDATE and DELETE on its tables",
    { cause: error },
  );
}

function asApplied(row: JournalRow): AppliedMigration {
  return {
    version: String(row.version),
    description: String(row.description ?? ""),
    applied_at: row.applied_at as Date,
    checksum: (row.checksum ?? null) as string | null,
    duration_ms: (row.duration_ms ?? null) as number | null,
    applied_by: (row.applied_by ?? null) as string | null,
  };
}

function asProgress(row: JournalRow): Progress {
  const { intent, ...rest } = JSON.parse(row.progress as string);
  return {
    ...rest,
    version: row.version as string,
    intent: intent === null ? null : {
      ...(typeof intent === "number" ? { ordinal: intent } : intent),
      at: row.intent_at as Date,
      before: row.intent_before as boolean | null,
      ...readFacts(row.intent_facts as string | null),
    },
  };
}

/** Whether an error says that a table or column isn't there. */
export function isAbsence(error: unknown): boolean {
  return error instanceof DatabaseError &&
    ["42P01", "42703", "3F000"].includes(error.code);
}
