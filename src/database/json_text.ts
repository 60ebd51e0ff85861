/**
 * JSON as servers write it: in arrays, CockroachDB v22.1 writes each document as an SQL literal.
 *
 * @module
 */

/** What stands behind a backslash in `e'…'`, where it isn't the character itself. */
const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

const ESCAPE =
  /\\(?:u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})|x([\dA-Fa-f]{2})|([^]))/g;

/**
 * Takes the quotes off a document that is written as an SQL literal, `'…'` or `e'…'`; no JSON begins
 * so.
 *
 * @param text The server's text.
 * @returns The JSON.
 */
export function jsonText(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (!text.startsWith("e'")) return text;
  return text.slice(2, -1).replace(ESCAPE, (_, ...groups: string[]) => {
    const [short, long, byte, other] = groups;
    const code = short ?? long ?? byte;
    return code === undefined
      ? ESCAPES[other] ?? other
      : String.fromCodePoint(parseInt(code, 16));
  });
}
