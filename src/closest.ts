/**
 * The guess behind "did you mean": the known word that a mistyped one is closest to. Pure.
 *
 * @module
 */

const MAX_DISTANCE = 2;

/** How many letters must be put in, left out or changed to make one word of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/** Case, `_` and `-` don't count: `application_name` is `applicationName`. */
function letters(word: string): string {
  return word.toLowerCase().replace(/[_-]/g, "");
}

/**
 * Finds the known word that was probably meant.
 *
 * @example
 * ```ts
 * import { closest } from "./closest.ts";
 *
 * closest("hostname", ["host", "port"]); // "host"
 * ```
 *
 * @param word The word as it was written.
 * @param known The words that there are.
 * @returns The closest one: the same but for case and `_`, or one that it begins with or that begins with it, or one at most two letters away; `undefined` where there is none.
 */
export function closest(
  word: string,
  known: readonly string[],
): string | undefined {
  const wanted = letters(word);
  const words = known.map((name) => ({ name, letters: letters(name) }));
  const same = words.find((one) => one.letters === wanted);
  if (same !== undefined) return same.name;
  const longer = words.find((one) =>
    wanted.length > 1 &&
    (wanted.startsWith(one.letters) || one.letters.startsWith(wanted))
  );
  if (longer !== undefined) return longer.name;
  return words
    .map(({ name, letters }) => ({ name, away: distance(wanted, letters) }))
    .filter(({ away }) => away <= MAX_DISTANCE && away * 2 < wanted.length)
    .sort((a, b) => a.away - b.away)[0]?.name;
}
