/**
 * The escapes of `e'…'`.
 *
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE
 *
 * @module
 */

/** What stands behind a backslash where it isn't the character itself, nor a number. */
const LETTERS: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

const ESCAPE =
  /\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g;

/**
 * Gives the characters that escapes stand for.
 *
 * @param text What is between the quotes.
 */
export function unescapeString(text: string): string {
  return text.replace(
    ESCAPE,
    (_, x?: string, u?: string, long?: string, octal?: string, other = "") => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
      return LETTERS[other] ?? other;
    },
  );
}
