/**
 * What the two servers say in different words: who one's own session is, which sessions are alive,
 * how to end one, and whom a statement waits for.
 *
 * @module
 */

import type { Session } from "../driver/driver.ts";
import { quoteLiteral } from "../sql.ts";

/** The servers that migrations know. */
export type ServerKind = "cockroachdb" | "postgresql";

/**
 * Folds a name that stands without quotes: CockroachDB folds all letters to lower case, PostgreSQL those
 * of ASCII alone.
 *
 * @param kind What the server is. Default: CockroachDB.
 */
export function foldName(name: string, kind?: ServerKind): string {
  if (kind === "postgresql") {
    return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  }
  // Letter by letter, as Go does it: Σ is σ wherever it stands, and İ is i.
  // https://github.com/cockroachdb/cockroach/blob/master/pkg/sql/lexbase/normalize.go
  const letters = Array.from(name, (letter) => {
    const [lower] = letter.toLowerCase();
    return lower;
  });
  return normalName(letters.join(""), kind);
}

/**
 * A name as the server keeps it, in quotes or folded: CockroachDB composes its letters (NFC).
 *
 * @param kind What the server is. Default: CockroachDB.
 */
export function normalName(name: string, kind?: ServerKind): string {
  return kind === "postgresql" ? name : name.normalize("NFC");
}

/** Says what a session's server is. */
export function serverKind({ parameters }: Session): ServerKind {
  return parameters.crdb_version === undefined ? "postgresql" : "cockroachdb";
}

/** An expression for the session's own name, by which other sessions can look for it. */
export function sessionName(kind: ServerKind): string {
  return kind === "cockroachdb"
    ? "current_setting('session_id')"
    : "(SELECT pid || '/' || extract(epoch FROM backend_start) FROM pg_catalog.pg_stat_activity " +
      "WHERE pid = pg_backend_pid())";
}

/**
 * Says whether a session is there. It has to be one of the asking user's own: those of others may
 * be hidden, and then seem gone.
 */
export async function isAlive(
  session: Session,
  kind: ServerKind,
  name: string,
): Promise<boolean> {
  const text = kind === "cockroachdb"
    ? `WITH s AS (SHOW SESSIONS) SELECT * FROM s WHERE session_id = ${
      quoteLiteral(name)
    }`
    : "SELECT 1 FROM pg_catalog.pg_stat_activity " +
      `WHERE pid || '/' || extract(epoch FROM backend_start) = ${
        quoteLiteral(name)
      }`;
  const { columns, rows } = await session.query(text);
  // From v22.2 on there is a status, and sessions that were closed may stay listed for a while.
  const status = columns.findIndex((column) => column.name === "status");
  return rows.some((row) => row[status] !== "CLOSED");
}

/** Ends a session, so that what it holds is free; does nothing where it is gone. */
export async function endSession(
  session: Session,
  kind: ServerKind,
  name: string,
): Promise<void> {
  await session.query(
    kind === "cockroachdb"
      ? `CANCEL SESSION IF EXISTS ${quoteLiteral(name)}`
      : "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity " +
        `WHERE pid || '/' || extract(epoch FROM backend_start) = ${
          quoteLiteral(name)
        }`,
  );
}
