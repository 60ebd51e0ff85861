/**
 * Colour, and the width that text has on a terminal. Pure.
 *
 * @module
 */

/** Colours texts, or leaves them as they are. */
export interface Style {
  /** What went well. */
  good(text: string): string;
  /** What needs a look. */
  warn(text: string): string;
  /** What is wrong. */
  bad(text: string): string;
  /** What is less important. */
  dim(text: string): string;
}

/** Makes a style, with colour or without. */
export function styleFor(isColored: boolean): Style {
  const paint = (code: number) => (text: string) =>
    isColored ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { good: paint(32), warn: paint(33), bad: paint(31), dim: paint(2) };
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const WITHOUT_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

/**
 * Counts the columns that a text takes on a terminal: two for East Asian wide characters and emoji
 * (https://www.unicode.org/reports/tr11/), none for combining marks.
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) {
    width += WITHOUT_WIDTH.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  }
  return width;
}

/** Fills a text with blanks up to a number of columns. */
export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - displayWidth(text)));
}

/** Makes one line of a text, without characters that would steer the terminal. */
export function oneLine(text: string, maxLength = 80): string {
  const line = printable(text).replace(/\s+/g, " ").trim();
  const chars = [...line];
  return chars.length <= maxLength
    ? line
    : chars.slice(0, maxLength - 1).join("") + "…";
}

/** Takes out of a text what would steer the terminal; line ends and tabs stay. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "");
}
