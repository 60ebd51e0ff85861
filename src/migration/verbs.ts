/**
 * The words that statements begin with, in CockroachDB and PostgreSQL, but for CREATE, ALTER and DROP,
 * which say more with the words that follow.
 *
 * @module
 */

import type { Reader } from "./reader.ts";

/**
 * What a statement does: changes the schema (`ddl`) or rows (`data`), reads (`query`; a function
 * that it calls may write), begins or ends a transaction, changes the session, or does another
 * thing to the server (`utility`).
 */
export type StatementKind =
  | "ddl"
  | "data"
  | "query"
  | "transaction"
  | "session"
  | "utility";

/** The beginnings of statements by kind; a longer one comes before one that it begins with. */
const VERBS: Readonly<Record<StatementKind, readonly string[]>> = {
  transaction: [
    "BEGIN",
    "START TRANSACTION",
    "SET TRANSACTION",
    "COMMIT PREPARED",
    "COMMIT",
    "END",
    "ROLLBACK PREPARED",
    "ROLLBACK",
    "ABORT",
    "SAVEPOINT",
    "RELEASE",
    "PREPARE TRANSACTION",
  ],
  utility: [
    "SET CLUSTER SETTING",
    "RESET CLUSTER SETTING",
    "ALTER SYSTEM",
    "CREATE CHANGEFEED",
    "CREATE SCHEDULE",
    "VACUUM",
    "ANALYZE",
    "ANALYSE",
    "REINDEX",
    "CLUSTER",
    "CHECKPOINT",
    "LOCK",
    "NOTIFY",
    "BACKUP",
    "RESTORE",
    "EXPORT",
    "PAUSE",
    "RESUME",
    "CANCEL",
  ],
  ddl: [
    "COMMENT ON",
    "GRANT",
    "REVOKE",
    "TRUNCATE",
    "REASSIGN OWNED",
    "REFRESH MATERIALIZED VIEW",
    "SECURITY LABEL",
    "IMPORT FOREIGN SCHEMA",
  ],
  session: [
    "SET",
    "RESET",
    "USE",
    "DISCARD ALL",
    "DISCARD",
    "PREPARE",
    "DEALLOCATE",
    "DECLARE",
    "FETCH",
    "MOVE",
    "CLOSE",
    "LISTEN",
    "UNLISTEN",
    "LOAD",
  ],
  data: [
    "INSERT",
    "UPSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "COPY",
    "CALL",
    "DO",
    "EXECUTE",
  ],
  query: ["SELECT", "VALUES", "TABLE", "SHOW", "EXPLAIN", "WITH"],
};

/** The same by their first words. */
const VERBS_BY_FIRST_WORD = new Map<string, [StatementKind, string][]>();
for (const kind of Object.keys(VERBS) as StatementKind[]) {
  for (const verb of VERBS[kind]) {
    const [first] = verb.split(" ", 1);
    const others = VERBS_BY_FIRST_WORD.get(first) ?? [];
    VERBS_BY_FIRST_WORD.set(first, [...others, [kind, verb]]);
  }
}

/**
 * Takes the beginning of a statement.
 *
 * @param reader The cursor, at the first word.
 * @returns The words, and what such a statement does; `undefined` where it begins with others.
 */
export function takeVerb(
  reader: Reader,
): { kind: StatementKind; verb: string } | undefined {
  const candidates = VERBS_BY_FIRST_WORD.get(reader.next.word) ?? [];
  const found = candidates.find(([, verb]) => reader.take(verb));
  return found && { kind: found[0], verb: found[1] };
}
