/**
 * The number of points that the fault suite survived, from what a full run has printed into the
 * README, so that no one has to copy it.
 *
 * @module
 */

const LINE = /^faults: (\d+) points survived on (\S+) \((.+)\)$/gm;
const BEGIN = "<!-- Written by `deno task test:faults`. -->";
const END = "<!-- The end of what it writes. -->";

/** The names of the servers, in the order in which they are shown. */
const SERVERS: Readonly<Record<string, string>> = {
  postgresql: "PostgreSQL",
  cockroachdb: "CockroachDB",
};

/**
 * Puts the points of a full run into the README. What it says of a server that the run wasn't on
 * stays.
 *
 * @param readme The README's text.
 * @param printed What the run printed, without colours.
 * @param date The run's date, as it is to be shown.
 * @returns The new text; the given one where the run printed no points.
 * @throws {Error} Where the README has no place for them.
 */
export function withFaultPoints(
  readme: string,
  printed: string,
  date: string,
): string {
  const [before, rest] = cut(readme, BEGIN);
  const [shown, after] = cut(rest, END);
  const entries = Object.entries(SERVERS).flatMap(([kind, name]) => {
    const found = [...printed.matchAll(LINE)].filter(([, , on]) => on === kind);
    const old = entryOf(shown, name);
    if (found.length === 0) return old === undefined ? [] : [old];
    const total = found.reduce((sum, [, points]) => sum + Number(points), 0);
    const parts = found.map(([, points, , how]) =>
      `${thousands(Number(points))} ${how}`
    );
    return [
      `- **${name}: ${thousands(total)} points**, on ${date}: ${
        parts.join("; ")
      }.`,
    ];
  });
  return `${before}${BEGIN}\n\n${entries.join("\n")}\n\n${END}${after}`;
}

/** What is shown of a server, on one line. */
function entryOf(shown: string, name: string): string | undefined {
  return shown.split(/^(?=- )/m)
    .map((entry) => entry.replace(/\s+/g, " ").trim())
    .find((entry) => entry.startsWith(`- **${name}:`));
}

function cut(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) {
    throw new Error(
      `Cannot write the points into the README: it has no line "${mark}"; put it where they belong`,
    );
  }
  return [text.slice(0, at), text.slice(at + mark.length)];
}

function thousands(number: number): string {
  return number.toLocaleString("en");
}
