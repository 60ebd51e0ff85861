/**
 * Makes the journal's tables, takes over one of the Python client, and enters a run.
 *
 * @module
 */

import type { Session } from "../driver/driver.ts";
import { ConfigError, DatabaseError, MigrationError } from "../errors.ts";
import { quoteIdentifier, splitName } from "../sql.ts";
import { insist } from "./insist.ts";
import {
  isAbsence,
  journalQuery,
  type JournalState,
  journalState,
  type JournalTables,
  journalTables,
  readRows,
  writingFailure,
} from "./journal.ts";
import { landing } from "./journal_notes.ts";
import { type ServerKind, serverKind, sessionName } from "./server.ts";

/** Columns that this tool adds to a table of the Python client. */
const COLUMNS = {
  checksum: "TEXT",
  duration_ms: "INT8",
  applied_by: "TEXT",
} as const;

/** PostgreSQL cuts names to 63 bytes: beside a longer one, the journal and the lease would be one table. */
const MAX_BYTES = 61;

/** Refuses a table beside which PostgreSQL can't make the others; CockroachDB has names of any length. */
function checkLength(session: Session, { applied }: JournalTables): void {
  const name = splitName(applied).at(-1)!;
  const { length } = new TextEncoder().encode(name);
  if (length <= MAX_BYTES || serverKind(session) === "cockroachdb") return;
  throw new ConfigError(
    `Cannot use ${applied} as the option table: its name has ${length} bytes, and PostgreSQL ` +
      `has no room for those of the other tables; give a name of at most ${MAX_BYTES} bytes`,
  );
}

/**
 * Makes the journal's tables, with their schema, and adds to one of the Python client what it lacks.
 *
 * @throws {ConfigError} A name that leaves no room for those of the other tables.
 * @throws {MigrationError} A schema that isn't there and can't be made; tables that the role may not make.
 */
export async function setUpJournal(
  session: Session,
  tables: JournalTables,
): Promise<void> {
  const run = (statement: string, remedy?: string) =>
    settle(() => session.query(statement)).catch((error) => {
      throw makingFailure(error, remedy);
    });
  checkLength(session, tables);
  await forgetOrphan(session, tables);
  const added = Object.entries(COLUMNS).map((column) => column.join(" "));
  const create =
    `CREATE TABLE IF NOT EXISTS ${tables.applied} (version TEXT PRIMARY KEY, description TEXT, ` +
    `applied_at TIMESTAMPTZ NOT NULL DEFAULT now(), ${added.join(", ")})`;
  try {
    await run(create);
  } catch (error) {
    const lacksSchema = error instanceof DatabaseError &&
      error.code === "3F000" && splitName(tables.applied).length > 1;
    if (!lacksSchema) throw error;
    await makeSchema(session, tables);
    await run(create);
  }
  const present = await session.query(
    `SELECT * FROM ${tables.applied} LIMIT 0`,
  );
  const names = present.columns.map(({ name }) => name);
  for (const [name, type] of Object.entries(COLUMNS)) {
    if (names.includes(name)) continue;
    await run(
      `ALTER TABLE ${tables.applied} ADD COLUMN IF NOT EXISTS ${name} ${type}`,
      "make the role the owner of its table",
    );
  }
  await run(
    `CREATE TABLE IF NOT EXISTS ${tables.lease} (id INT8 PRIMARY KEY, fence INT8 NOT NULL, ` +
      "holder TEXT, username TEXT, session TEXT, main_session TEXT, " +
      "acquired_at TIMESTAMPTZ NOT NULL, expires_at TIMESTAMPTZ NOT NULL)",
  );
  await run(
    `CREATE TABLE IF NOT EXISTS ${tables.journal} (id INT8 PRIMARY KEY, fence INT8 NOT NULL, ` +
      "version TEXT, progress TEXT, intent_at TIMESTAMPTZ, intent_before BOOL, intent_facts TEXT)",
  );
  // By this row others know that all the rest is there: without it a lease would have no fence.
  await run(
    `INSERT INTO ${tables.journal} (id, fence) VALUES (1, 0) ON CONFLICT (id) DO NOTHING`,
  );
}

/**
 * Forgets the migration in flight where the table of applied migrations was dropped: the history that
 * it belongs to is no more. Another runner that has taken the lease meanwhile has another fence.
 */
async function forgetOrphan(
  session: Session,
  tables: JournalTables,
): Promise<void> {
  const look = (text: string) =>
    readRows(session, text).catch((error) => {
      if (isAbsence(error)) return undefined;
      throw error;
    });
  const [flight] = await look(
    `SELECT fence::TEXT AS fence FROM ${tables.journal} WHERE id = 1 AND progress IS NOT NULL`,
  ) ?? [];
  if (flight === undefined) return;
  const isThere = await look(`SELECT 1 AS one FROM ${tables.applied} LIMIT 1`);
  if (isThere !== undefined) return;
  const forget = landing(tables, String(flight.fence));
  await insist(() => session.query(forget)).catch((error) => {
    throw writingFailure(error);
  });
}

function makingFailure(
  error: unknown,
  remedy = "grant the role CREATE on its schema",
): unknown {
  if (!(error instanceof DatabaseError) || error.kind !== "permission") {
    return error;
  }
  return new MigrationError(
    `Cannot make the migrations' journal: ${error.message}; ` +
      `${remedy}, or let somebody who may run the first migration`,
    { cause: error },
  );
}

async function makeSchema(
  session: Session,
  { applied }: JournalTables,
): Promise<void> {
  // PostgreSQL has no schemas but those of the database that the session is in.
  const from = serverKind(session) === "cockroachdb" ? 0 : -1;
  const schema = splitName(applied).slice(0, -1).slice(from)
    .map(quoteIdentifier).join(".");
  try {
    await settle(() => session.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`));
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new MigrationError(
      `Cannot make the schema ${schema} of the migrations' journal: ${error.message}; ` +
        `have somebody run CREATE SCHEMA ${schema}, and grant the role CREATE and USAGE on it, or name another table`,
      { cause: error },
    );
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

/** What {@linkcode registerMain} finds out. */
export interface Registration {
  /** The journal's tables, with their schema. */
  readonly tables: JournalTables;
  /** The name of the session, by which others can look for it. */
  readonly mainSession: string;
  /** What the journal says; nobody else has written it since the lease was taken. */
  readonly state: JournalState;
}

/**
 * Enters the session that runs the migrations into the lease, reads the journal, and names the schema
 * that holds it, on CockroachDB the database too, so that no `SET search_path` or `USE` moves it.
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
  const unplaced = journalTables(table);
  const rows = await readRows(
    session,
    `WITH registered AS (UPDATE ${unplaced.lease} SET main_session = ${
      sessionName(kind)
    } ` +
      "WHERE id = 1 AND fence = $1 RETURNING main_session, " +
      "(SELECT n.nspname FROM pg_catalog.pg_class c " +
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $2 " +
      "AND n.nspname = ANY(current_schemas(false)) " +
      "ORDER BY array_position(current_schemas(false), n.nspname) LIMIT 1)::TEXT AS place) " +
      `${journalQuery(unplaced)} UNION ALL ` +
      "SELECT 'registered', main_session, current_database()::TEXT, NULL, place, " +
      "NULL, NULL, NULL, NULL, NULL, NULL FROM registered",
    [fence, name],
  );
  const registered = rows.find(({ part }) => part === "registered");
  if (registered === undefined) return undefined;
  const { version, description, checksum } = registered;
  const schema = parts.at(-2) ?? String(checksum);
  const place = kind === "cockroachdb"
    ? [parts.at(-3) ?? String(description), schema]
    : [schema];
  return {
    mainSession: String(version),
    tables: journalTables([...place, name].map(quoteIdentifier).join(".")),
    state: journalState(rows),
  };
}
