/**
 * What kind of statement a text is, for both CockroachDB and PostgreSQL: how it may be run, whether
 * a second run is harmless, and what the catalog tells of it afterwards.
 *
 * @module
 */

import { type Effect, type Outcome, UNKNOWN } from "./effect.ts";
import { schemaChange, truncate } from "./effects.ts";
import { commentOn, grant, revoke } from "./grants.ts";
import { type Head, readHead } from "./head.ts";
import { Reader } from "./reader.ts";
import type { ServerKind } from "./server.ts";
import { type StatementKind, takeVerb } from "./verbs.ts";

export type { ConstraintType, Effect, NamedObject, Outcome } from "./effect.ts";
export type { ObjectName } from "./reader.ts";
export type { StatementKind } from "./verbs.ts";

/** What is known of a statement from its text. */
export interface StatementInfo {
  /** What the statement does. */
  readonly kind: StatementKind;
  /** Its first words in upper case, such as `CREATE TABLE`, without `UNIQUE` and the like. */
  readonly verb: string;
  /** What the catalog holds once it has been done; `undefined` where that can't tell. */
  readonly effects?: readonly Effect[];
  /** Whether it is a `CREATE OR REPLACE`. */
  readonly replaces: boolean;
  /** Whether running it a second time leaves the same result without an error. */
  readonly idempotent: boolean;
  /** Whether PostgreSQL runs it in a transaction of several statements. */
  readonly transactional: boolean;
}

/** Options of {@linkcode classify}. */
export interface ClassifyOptions {
  /** What the server is, which folds names in its own way. Default: CockroachDB. */
  readonly kind?: ServerKind;
}

/** Statements other than queries and settings that can be run twice. */
const REPEATABLE = [
  "SET CLUSTER SETTING",
  "RESET CLUSTER SETTING",
  "ALTER SYSTEM",
  "VACUUM",
  "ANALYZE",
  "ANALYSE",
  "REINDEX",
  "CLUSTER",
  "CHECKPOINT",
  "REASSIGN OWNED",
  "REFRESH MATERIALIZED VIEW",
  "SECURITY LABEL",
];

/** Statements that PostgreSQL refuses in a transaction block. */
const NOT_TRANSACTIONAL = [
  "CREATE DATABASE",
  "DROP DATABASE",
  "CREATE TABLESPACE",
  "DROP TABLESPACE",
  "CREATE SUBSCRIPTION",
  "DROP SUBSCRIPTION",
  "ALTER SYSTEM",
  "VACUUM",
  "DISCARD ALL",
];

/** Further ones, by the word that makes them so. */
const STANDS_ALONE: Readonly<Record<string, string>> = {
  "CREATE INDEX": "CONCURRENTLY",
  "DROP INDEX": "CONCURRENTLY",
  "ALTER TABLE": "CONCURRENTLY",
  "ALTER DATABASE": "TABLESPACE",
};

const DATA_VERBS = ["INSERT", "UPSERT", "UPDATE", "DELETE", "MERGE"];

/** The data-modifying verb in a query: its main one, or that of a part in brackets. */
function dataVerb(reader: Reader): string | undefined {
  const { rest } = reader;
  return rest.find(({ word }, i) =>
    DATA_VERBS.includes(word) && ["(", "[", ")"].includes(rest[i - 1]?.text) &&
    // A column may have such a name, and a function is called by one.
    !["(", ",", ".", ")"].includes(rest[i + 1]?.text)
  )?.word;
}

/** `SELECT set_config(…)` is a SET, as dumps write it. */
function setsOnly(reader: Reader): boolean {
  return reader.fork().split().every((part) =>
    part.name()?.at(-1) === "set_config" && part.group() !== undefined &&
    part.done
  );
}

/** A query: it may write through a CTE, and `SELECT … INTO` makes a table. */
function query(reader: Reader, verb: string): StatementInfo {
  if (verb === "SELECT" && setsOnly(reader)) {
    return info("session", verb, { idempotent: true });
  }
  const data = dataVerb(reader);
  if (data !== undefined) return info("data", data, UNKNOWN);
  const main = verb === "WITH" ? "SELECT" : verb;
  const selects = reader.fork();
  if (main !== "SELECT" || !selects.skipTo("INTO")) {
    return info("query", main, { idempotent: true });
  }
  selects.skip();
  const isTemporary = selects.takeOne("TEMPORARY", "TEMP") !== undefined;
  selects.take("UNLOGGED");
  selects.take("TABLE");
  const name = selects.name();
  const effects: Effect[] | undefined = name === undefined || isTemporary
    ? undefined
    : [{ type: "table", name, present: true }];
  return info("ddl", "SELECT INTO", { effects, idempotent: false });
}

/** `EXPLAIN ANALYZE` does what it explains. */
function explain(
  sql: string,
  reader: Reader,
  options: ClassifyOptions,
): StatementInfo {
  let runs = false;
  for (;;) {
    const option = reader.takeOne("ANALYZE", "ANALYSE", "VERBOSE");
    if (option !== undefined) runs ||= option !== "VERBOSE";
    else if (reader.sees("(")) {
      const options = reader.group() ?? [];
      runs ||= options.some(({ next: { word } }) => /^ANALY[SZ]E$/.test(word));
    } else break;
  }
  const inner = runs && !reader.done
    ? classify(sql.slice(reader.next.start), options)
    : undefined;
  return inner === undefined || inner.kind === "query"
    ? info("query", "EXPLAIN", { idempotent: true })
    : info(inner.kind, "EXPLAIN", { idempotent: inner.idempotent });
}

function schemaInfo(reader: Reader, head: Head): StatementInfo {
  const { action, object } = head;
  const isTableAs = action === "CREATE" && object === "TABLE" &&
    reader.fork().skipTo("AS");
  const verb = `${action} ${object}${isTableAs ? " AS" : ""}`;
  const standsAlone = reader.rest
    .some(({ word }) => word === STANDS_ALONE[verb]);
  return info("ddl", verb, schemaChange(reader, head), !standsAlone);
}

function info(
  kind: StatementKind,
  verb: string,
  { effects, idempotent, replaces = false }: Outcome,
  transactional = true,
): StatementInfo {
  return {
    kind,
    verb,
    effects,
    replaces,
    idempotent,
    transactional: transactional && !NOT_TRANSACTIONAL.includes(verb),
  };
}

/** PostgreSQL's CLUSTER and REINDEX depend on what they are given. */
function isTransactional(verb: string, reader: Reader): boolean {
  if (verb === "CLUSTER") {
    reader.take("VERBOSE");
    reader.group();
    return !reader.done;
  }
  const words = ["CONCURRENTLY", "DATABASE", "SYSTEM", "SCHEMA"];
  return verb !== "REINDEX" ||
    !reader.rest.some(({ word }) => words.includes(word));
}

/**
 * Says what a statement does, from its text alone.
 *
 * @example
 * ```ts
 * import { classify } from "./statement.ts";
 *
 * const { kind, verb, effects } = classify("CREATE TABLE users (id UUID PRIMARY KEY)");
 * // "ddl", "CREATE TABLE", [{ type: "table", name: ["users"], present: true }]
 * ```
 *
 * @param sql One statement.
 * @returns What is known of it. A statement that begins with an unknown word is a `utility`.
 * @throws {SqlTextError} A string, quoted identifier, dollar quote or comment that is not closed.
 */
export function classify(
  sql: string,
  options: ClassifyOptions = {},
): StatementInfo {
  const reader = new Reader(sql, options.kind);
  while (reader.take("("));
  const begin = takeVerb(reader);
  if (begin === undefined) {
    const head = readHead(reader);
    return head === undefined
      ? info("utility", reader.next.word, UNKNOWN)
      : schemaInfo(reader, head);
  }
  const { kind, verb } = begin;
  switch (verb) {
    case "COMMENT ON":
      return info("ddl", verb, commentOn(reader));
    case "GRANT":
      return info("ddl", verb, grant(reader));
    case "REVOKE":
      return info("ddl", verb, revoke(reader));
    case "TRUNCATE":
      return info("ddl", verb, truncate(reader));
    case "EXPLAIN":
      return explain(sql, reader, options);
    case "SELECT":
    case "WITH":
      return query(reader, verb);
  }
  const idempotent = kind === "session" || kind === "query" ||
    REPEATABLE.includes(verb);
  return info(kind, verb, { idempotent }, isTransactional(verb, reader));
}
