/**
 * Makes and drops databases.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";
import { quoteIdentifier } from "../sql.ts";
import type { Queries } from "./queries.ts";
import type { ServerInfo } from "./server_info.ts";

const CASCADE: Readonly<Record<ServerInfo["kind"], string>> = {
  cockroachdb: " CASCADE",
  postgresql: " WITH (FORCE)",
};

/** What those say who have made a database of the name: that it is there, or that they were faster. */
const MADE_BY_OTHERS = ["42P04", "23505"];

/** Makes a database. */
export async function createDatabase(
  queries: Queries,
  name: string,
  options: { ifNotExists?: boolean } = {},
): Promise<void> {
  const { ifNotExists = false } = options;
  // PostgreSQL has no IF NOT EXISTS here, and two that look first may both go on to make it.
  if (ifNotExists && await exists(queries, name)) return;
  try {
    await queries.execute(`CREATE DATABASE ${quoteIdentifier(name)}`);
  } catch (error) {
    const isMade = error instanceof DatabaseError &&
      MADE_BY_OTHERS.includes(error.code);
    if (!(ifNotExists && isMade)) throw error;
  }
}

/**
 * Drops a database.
 *
 * @param options `cascades`: the kind of server, where everything in it goes too.
 */
export async function dropDatabase(
  queries: Queries,
  name: string,
  options: { ifExists?: boolean; cascades?: ServerInfo["kind"] } = {},
): Promise<void> {
  const { ifExists, cascades } = options;
  await queries.execute(
    `DROP DATABASE ${ifExists ? "IF EXISTS " : ""}${quoteIdentifier(name)}${
      cascades === undefined ? "" : CASCADE[cascades]
    }`,
  );
}

async function exists(queries: Queries, name: string): Promise<boolean> {
  const found =
    "SELECT 1 AS found FROM pg_catalog.pg_database WHERE datname = $1";
  return await queries.queryOne(found, [name]) !== undefined;
}
