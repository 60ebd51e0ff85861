/**
 * Makes and drops databases, and looks whether they are there.
 *
 * @module
 */

import { connectFailure } from "../driver/connect_failure.ts";
import type {
  CallOptions,
  ConnectionConfig,
  Session,
} from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";
import { quoteIdentifier } from "../sql.ts";
import { limitsOf, type QueryOptions } from "./limits.ts";
import type { Queries } from "./queries.ts";
import type { ServerInfo } from "./server_info.ts";

const CASCADE: Readonly<Record<ServerInfo["kind"], string>> = {
  cockroachdb: " CASCADE",
  postgresql: " WITH (FORCE)",
};

const RESTRICT: Readonly<Record<ServerInfo["kind"], string>> = {
  cockroachdb: " RESTRICT",
  postgresql: "",
};

/** What those say who have made a database of the name: that it is there, or that they were faster. */
const MADE_BY_OTHERS = ["42P04", "23505"];

/** Makes a database. */
export async function createDatabase(
  queries: Queries,
  name: string,
  options: QueryOptions & { ifNotExists?: boolean } = {},
): Promise<void> {
  const { ifNotExists = false } = options;
  const limits = limitsOf(options, ["ifNotExists"]);
  // PostgreSQL has no IF NOT EXISTS here, and two that look first may both go on to make it.
  if (ifNotExists && await exists(queries, name, limits)) return;
  try {
    await queries.execute(
      `CREATE DATABASE ${quoteIdentifier(name)}`,
      [],
      limits,
    );
  } catch (error) {
    const isMade = error instanceof DatabaseError &&
      MADE_BY_OTHERS.includes(error.code);
    if (!(ifNotExists && isMade)) throw error;
  }
}

/**
 * Drops a database.
 *
 * @param queries What runs the statement, and knows the kind of server.
 * @param name The database.
 * @param options `cascade`: whether everything in it goes too. Default: what the server does.
 */
export async function dropDatabase(
  queries: Queries & { server(limits: CallOptions): Promise<ServerInfo> },
  name: string,
  options: QueryOptions & { ifExists?: boolean; cascade?: boolean } = {},
): Promise<void> {
  const { ifExists, cascade } = options;
  const limits = limitsOf(options, ["ifExists", "cascade"]);
  const ways = cascade ? CASCADE : RESTRICT;
  // Without a word the server decides.
  const how = cascade === undefined
    ? ""
    : ways[(await queries.server(limits)).kind];
  await queries.execute(
    `DROP DATABASE ${ifExists ? "IF EXISTS " : ""}${
      quoteIdentifier(name)
    }${how}`,
    [],
    limits,
  );
}

/**
 * Makes sure that a session's database is there: CockroachDB lets a client into one that isn't.
 *
 * @param session The session; it is free.
 * @param config Where it leads to.
 * @param limits The limits of the question.
 * @throws {DatabaseError} Where there is no such database.
 */
export async function checkDatabase(
  session: Session,
  config: ConnectionConfig,
  { signal, timeoutMs }: CallOptions,
): Promise<void> {
  if (session.parameters.crdb_version === undefined) return;
  const look = "SELECT 1 FROM pg_catalog.pg_database WHERE false";
  try {
    await session.query(look, [], { signal, timeoutMs });
  } catch (error) {
    // A signal's reason is the caller's own.
    throw error instanceof DatabaseError
      ? connectFailure(error, config)
      : error;
  }
}

async function exists(
  queries: Queries,
  name: string,
  limits: CallOptions,
): Promise<boolean> {
  const found =
    "SELECT 1 AS found FROM pg_catalog.pg_database WHERE datname = $1";
  return await queries.queryOne(found, [name], limits) !== undefined;
}
