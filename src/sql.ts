/**
 * SQL text without a server: names and strings are quoted, and an offset becomes a line, a column
 * and a caret. Splitting into tokens and statements is here by name, from rooms of its own.
 *
 * @module
 */

import { SqlTextError } from "./errors.ts";

export {
  type SplitOptions,
  splitStatements,
  type Statement,
} from "./sql_split.ts";
export { type Token, tokenize, type TokenKind } from "./sql_tokens.ts";

/**
 * Quotes one identifier, as it is: neither folded to lower case nor split at dots.
 *
 * @param name The identifier.
 * @returns The identifier in double quotes.
 * @throws {SqlTextError} An empty name, or one with a NUL character.
 */
export function quoteIdentifier(name: string): string {
  if (name === "") {
    throw new SqlTextError("a name is empty; give it a character", 0);
  }
  const nul = name.indexOf("\0");
  if (nul >= 0) {
    throw new SqlTextError("a name holds a NUL character; remove it", nul);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Splits a name at the dots outside its quotes, and takes the quotes off.
 *
 * @example
 * ```ts
 * import { splitName } from "./sql.ts";
 *
 * splitName('app."My.Table"'); // ["app", "My.Table"]
 * ```
 *
 * @param name `table`, `schema.table` or `database.schema.table`.
 * @returns The parts.
 * @throws {SqlTextError} An empty part, a quote that is not closed, more than three parts.
 */
export function splitName(name: string): string[] {
  const parts: string[] = [];
  let start = 0;
  while (start <= name.length) {
    const quoted = /"((?:[^"]|"")*)"(?=\.|$)/y;
    quoted.lastIndex = start;
    const match = quoted.exec(name);
    if (match === null && name[start] === '"') {
      throw new SqlTextError(
        `the quotes in the name ${name} don't match; close them before the dot`,
        start,
      );
    }
    const dot = name.indexOf(".", start);
    const end = match !== null ? quoted.lastIndex : dot < 0 ? name.length : dot;
    const part = match === null
      ? name.slice(start, end)
      : match[1].replaceAll('""', '"');
    if (part === "") {
      throw new SqlTextError(
        `a part of the name "${name}" is empty; give it a character`,
        start,
      );
    }
    parts.push(part);
    start = end + 1;
  }
  if (parts.length > 3) {
    throw new SqlTextError(
      `the name "${name}" has ${parts.length} parts; give at most database.schema.table`,
      0,
    );
  }
  return parts;
}

/**
 * Quotes a name of up to three parts, each part by itself.
 *
 * @example
 * ```ts
 * import { quoteName } from "./sql.ts";
 *
 * quoteName("app.users"); // '"app"."users"'
 * quoteName('app."My.Table"'); // '"app"."My.Table"'
 * ```
 *
 * @param name `table`, `schema.table` or `database.schema.table`; a part in quotes keeps its dots.
 * @returns The name, every part in double quotes.
 * @throws {SqlTextError} An empty part, a quote that is not closed, a NUL character, more than
 * three parts.
 */
export function quoteName(name: string): string {
  return splitName(name).map(quoteIdentifier).join(".");
}

/**
 * Quotes a string, for statements that take no parameters.
 *
 * @param text The string.
 * @returns A literal: `'…'`, or `E'…'` where the string has backslashes, so that it is read in the
 * same way whatever `standard_conforming_strings` says.
 * @throws {SqlTextError} A string with a NUL character.
 */
export function quoteLiteral(text: string): string {
  const nul = text.indexOf("\0");
  if (nul >= 0) {
    throw new SqlTextError("a string holds a NUL character; remove it", nul);
  }
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

/** A place in a text. */
export interface Position {
  /** The line, from 1. */
  readonly line: number;
  /** The column in characters (code points), from 1. */
  readonly column: number;
  /** The whole line, without its end. */
  readonly lineText: string;
}

function codePoints(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) {
      if ((text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--;
    }
  }
  return count;
}

/**
 * Finds the line and column of an offset.
 *
 * @param sql The text.
 * @param offset Where in the text, in UTF-16 code units from 0.
 * @returns The place, with its line.
 */
export function position(sql: string, offset: number): Position {
  let line = 1;
  let start = 0;
  for (
    let end = sql.indexOf("\n");
    end >= 0 && end < offset;
    end = sql.indexOf("\n", start)
  ) {
    line++;
    start = end + 1;
  }
  const end = sql.indexOf("\n", start);
  const lineText = sql.slice(start, end < 0 ? sql.length : end);
  return {
    line,
    column: codePoints(sql.slice(start, offset)) + 1,
    lineText: lineText.endsWith("\r") ? lineText.slice(0, -1) : lineText,
  };
}

/**
 * Finds the offset of a position that a server names in the statement that was sent.
 *
 * @param text The statement that was sent.
 * @param position The server's position: characters (code points), from 1.
 * @returns The offset in UTF-16 code units from 0; the text's length where it is past the end.
 */
export function offsetOfPosition(text: string, position: number): number {
  let offset = 0;
  for (let left = position - 1; left > 0 && offset < text.length; left--) {
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
  return offset;
}

/** Of a longer line this many characters are shown. */
const SHOWN = 100;

/**
 * Shows an offset: its line, and below it a caret under the character.
 *
 * @param sql The text.
 * @param offset Where in the text, in UTF-16 code units from 0.
 * @returns Two lines; tabs before the caret are kept, so that it lines up. Of a line of more than 100
 * characters those around the caret are shown, with … in the place of the others.
 */
export function caret(sql: string, offset: number): string {
  const { column, lineText } = position(sql, offset);
  const line = [...lineText];
  const at = column - 1;
  const start = Math.max(0, Math.min(at - SHOWN / 2, line.length - SHOWN));
  const end = start + SHOWN;
  const head = start > 0 ? ["…"] : [];
  const shown = [...head, ...line.slice(start, end)];
  const blanks = shown.slice(0, head.length + at - start)
    .map((c) => c === "\t" ? c : " ").join("");
  return `${shown.join("")}${end < line.length ? "…" : ""}\n${blanks}^`;
}
