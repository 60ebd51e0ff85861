/**
 * JSON as servers write it: in arrays, CockroachDB v22.1 writes each document as an SQL literal.
 *
 * @module
 */

import { unescapeString } from "../sql_escapes.ts";

/**
 * Takes the quotes off a document that is written as an SQL literal, `'…'` or `e'…'`; no JSON begins
 * so.
 *
 * @param text The server's text.
 * @returns The JSON.
 */
export function jsonText(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  return text.startsWith("e'") ? unescapeString(text.slice(2, -1)) : text;
}
