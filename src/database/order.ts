/**
 * The order of rows: pure functions that read what a caller gives as `orderBy`, and write ORDER BY.
 * Names are always quoted.
 *
 * @module
 */

import { quoteIdentifier, splitName } from "../sql.ts";

/** A column to sort by. */
export interface OrderTerm {
  /** The column's name, after those of its table and schema where they are given. */
  readonly name: readonly string[];
  /** The direction, where one is given. */
  readonly direction?: "ASC" | "DESC";
  /** Where NULLs go, where that is said. */
  readonly nulls?: "NULLS FIRST" | "NULLS LAST";
}

/** Whatever stands before the next comma outside quotes. */
const TERM = /((?:"(?:[^"]|"")+"|[^",])+)(,|$)/y;
const ENDING = /^(.*?)(?:\s+(asc|desc))?(?:\s+(nulls)\s+(first|last))?$/is;
const NAME = new RegExp(
  String.raw`^PART(?:\.PART){0,2}$`
    .replaceAll("PART", String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`),
  "u",
);
/** A name that SQL would have in quotes, and that is no number. */
const BARE_NAME = /^(?=.*\p{L})[\p{L}\p{N}_$][\p{L}\p{N}_$ -]*$/u;

/**
 * Reads columns to sort by.
 *
 * @param terms Columns with commas between them, each with `asc` or `desc` behind it if you like, and
 * with `nulls first` or `nulls last`. A name may stand in quotes; one with blanks needs none.
 * @throws {TypeError} Anything else, such as an expression.
 */
export function readOrder(terms: string): OrderTerm[] {
  const read: OrderTerm[] = [];
  TERM.lastIndex = 0;
  for (let more = true; more;) {
    const match = typeof terms === "string" ? TERM.exec(terms) : null;
    if (match === null) throw unreadable(terms);
    const [, text, end] = match;
    read.push(readTerm(text.trim(), terms));
    more = end === ",";
  }
  return read;
}

/**
 * Writes the terms of an ORDER BY.
 *
 * @param terms The columns, as {@linkcode readOrder} takes them.
 * @throws {TypeError} Anything else, such as an expression.
 */
export function orderTerms(terms: string): string {
  return readOrder(terms).map(({ name, direction, nulls }) => {
    const column = name.map(quoteIdentifier).join(".");
    return [column, direction, nulls].filter((part) => part !== undefined)
      .join(" ");
  }).join(", ");
}

function readTerm(term: string, terms: string): OrderTerm {
  const [, name, direction, nulls, place] = ENDING.exec(term) ?? [];
  return {
    name: readName(name, terms),
    direction: direction?.toUpperCase() as OrderTerm["direction"],
    nulls: (nulls && `${nulls} ${place}`.toUpperCase()) as OrderTerm["nulls"],
  };
}

function readName(name: string, terms: string): string[] {
  if (NAME.test(name)) return splitName(name);
  if (BARE_NAME.test(name)) return [name];
  throw unreadable(terms);
}

function unreadable(terms: string): TypeError {
  return new TypeError(
    `Cannot order by "${terms}": give columns, each with asc or desc behind it if you like; write other orders with query()`,
  );
}
