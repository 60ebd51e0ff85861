/**
 * The bounds of a backfill's chunks: how they are found, and how they are put into its statement.
 * Pure.
 *
 * @module
 */

import { TYPE_OIDS, unpadded } from "../database/type_oids.ts";
import { SqlTextError } from "../errors.ts";
import { quoteIdentifier, quoteLiteral, quoteName, splitName } from "../sql.ts";
import { tokenize } from "../sql_tokens.ts";
import { foldName, type ServerKind } from "./server.ts";

/** What a chunk is cut from. */
export interface ChunkOptions {
  /** The table, as written. */
  readonly table: string;
  /** The key's column, as written. */
  readonly key: string;
  /** How many keys a chunk has at most. */
  readonly batch: number;
  /** The key after which the chunk begins, as text; `null` for the first. */
  readonly after: string | null;
  /** What the server is, which folds names in its own way. Default: CockroachDB. */
  readonly kind?: ServerKind;
}

/** Writes the query for the first and the last key of the next chunk; both are NULL after the last. */
export function boundsQuery(
  { table, key, batch, after, kind }: ChunkOptions,
): string {
  const column = foldedName(key, kind);
  const where = after === null
    ? `${column} IS NOT NULL`
    : `${column} > ${keyLiteral(after)}`;
  return `WITH chunk AS (SELECT ${column} AS k FROM ${
    foldedName(table, kind)
  } WHERE ${where} ORDER BY ${column} LIMIT ${batch}) ` +
    "SELECT (SELECT k FROM chunk ORDER BY k LIMIT 1), (SELECT k FROM chunk ORDER BY k DESC LIMIT 1)";
}

/**
 * Writes the query that says of the key's column whether it can't be NULL, its type and its collation;
 * no row where there is none.
 */
export function keyQuery(
  { table, key, kind }: Pick<ChunkOptions, "table" | "key" | "kind">,
): string {
  const [column] = splitName(foldedName(key, kind));
  return "SELECT attnotnull, atttypid, collname FROM pg_catalog.pg_attribute " +
    "LEFT JOIN pg_catalog.pg_collation c ON c.oid = attcollation " +
    `WHERE attrelid = ${quoteLiteral(foldedName(table, kind))}::REGCLASS ` +
    `AND attname = ${quoteLiteral(column)} AND NOT attisdropped`;
}

/** A key as a literal; CockroachDB's texts may hold NUL characters, which no statement does. */
function keyLiteral(key: string): string {
  const [first, ...rest] = key.split("\0").map((piece) =>
    piece.replaceAll("\\", "\\\\").replaceAll("'", "''")
  );
  return rest.length === 0
    ? quoteLiteral(key)
    : `E'${[first, ...rest].join("\\x00")}'`;
}

const FLOATS: readonly number[] = [TYPE_OIDS.float4, TYPE_OIDS.float8];

/**
 * A key's text as the server compares it. CockroachDB pads a CHAR(n) in its answers alone: there `'A1 '`
 * comes after `'A1'`. PostgreSQL ignores such blanks.
 *
 * @param typeOid The OID of the key's type.
 */
export function keyText(text: string, typeOid: number): string {
  return typeOid === TYPE_OIDS.bpchar ? unpadded(text) : text;
}

/**
 * What goes before the query for the bounds, so that they are exact: of a FLOAT all digits, whatever
 * the migration has set. Where it isn't empty, it leaves a transaction open.
 *
 * @param typeOid The OID of the key's type.
 */
export function boundsOpening(typeOid: number): string {
  return FLOATS.includes(typeOid)
    ? "BEGIN; SET LOCAL extra_float_digits = 3; "
    : "";
}

/**
 * A name as SQL would read it, in quotes: what stands without them is folded to lower case.
 *
 * @param kind What the server is, which folds names in its own way. Default: CockroachDB.
 */
export function foldedName(name: string, kind?: ServerKind): string {
  const quoted = name.replace(
    /"(?:[^"]|"")*"|[^".]+/g,
    (part) =>
      part.startsWith('"') ? part : quoteIdentifier(foldName(part, kind)),
  );
  return quoteName(quoted);
}

/** The operators that keep to a bound on their right, and what includes it. */
const OPERATORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  $from: { ">": ">=", ">=": ">=" },
  $to: { "<": "<=", "<=": "<=" },
};
const OPPOSITE: Readonly<Record<string, string>> = {
  $from: "$to",
  $to: "$from",
};

/** A piece of a statement that gives way to another text. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  /** The other text; for a bound its name. */
  readonly text: string;
}

/** Finds the bounds of a backfill's statement, and the operators that leave out their rows. */
function replacementsIn(statement: string): Replacement[] {
  const tokens = tokenize(statement).filter(({ kind }) => kind !== "comment");
  const words = tokens.map(({ start, end }) => statement.slice(start, end));
  const replacements: Replacement[] = [];
  const found = new Set<string>();
  let isBetween = false;
  words.forEach((name, index) => {
    if (tokens[index].kind !== "parameter" || !(name in OPERATORS)) return;
    const before = words[index - 1]?.toUpperCase();
    isBetween = name === "$from"
      ? before === "BETWEEN"
      : isBetween && before === "AND";
    const left = OPERATORS[name][before];
    const right = OPERATORS[OPPOSITE[name]][words[index + 1]];
    if (left === undefined && right === undefined && !isBetween) {
      throw new SqlTextError(
        `${name} isn't compared in a way that is sure to include its row; ` +
          "write key >= $from AND key <= $to, with a cast as in $from::UUID",
        tokens[index].start,
      );
    }
    found.add(name);
    replacements.push({ ...tokens[index], text: name });
    if (left !== undefined) {
      replacements.push({ ...tokens[index - 1], text: left });
    } else if (right !== undefined) {
      replacements.push({ ...tokens[index + 1], text: right });
    }
  });
  if (found.size < 2) {
    throw new SqlTextError(
      "the statement below @BACKFILL has no bounds; compare its key with $from and $to",
      0,
    );
  }
  return replacements.sort((a, b) => a.start - b.start);
}

/** A backfill's statement with the keys of a chunk. */
export interface BoundStatement {
  /** The text. */
  readonly text: string;
  /** Where in the backfill's statement an offset of the text comes from. */
  originOf(offset: number): number;
}

/**
 * Puts keys in the place of the bounds. Both belong to the chunk, so a comparison by `<` or `>` is
 * widened: `id > $from` and `id >= $from` mean the same.
 *
 * @example
 * ```ts ignore
 * boundStatement("DELETE FROM t WHERE id > $from AND id <= $to", { from: "1", to: "9" })
 *   .text; // "DELETE FROM t WHERE id >= '1' AND id <= '9'"
 * ```
 *
 * @throws {SqlTextError} What {@linkcode checkBounds} throws.
 */
export function boundStatement(
  statement: string,
  { from, to }: { readonly from: string; readonly to: string },
): BoundStatement {
  const keys: Readonly<Record<string, string>> = {
    $from: keyLiteral(from),
    $to: keyLiteral(to),
  };
  const pieces: { readonly at: number; readonly origin: number }[] = [];
  let text = "";
  let end = 0;
  for (const replacement of replacementsIn(statement)) {
    text += statement.slice(end, replacement.start);
    pieces.push({ at: text.length, origin: replacement.start });
    text += keys[replacement.text] ?? replacement.text;
    end = replacement.end;
    pieces.push({ at: text.length, origin: end });
  }
  text += statement.slice(end);
  return {
    text,
    originOf(offset) {
      const index = pieces.findLastIndex(({ at }) => at <= offset);
      if (index < 0) return offset;
      const { at, origin } = pieces[index];
      // Inside of a key, that is its bound.
      return index % 2 === 0 ? origin : origin + offset - at;
    },
  };
}

/**
 * Makes sure that a backfill's statement has both bounds, and compares them in a way that can be
 * widened to include their rows.
 *
 * @throws {SqlTextError} Where it hasn't, or doesn't.
 */
export function checkBounds(statement: string): void {
  replacementsIn(statement);
}
