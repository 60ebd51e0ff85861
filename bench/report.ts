/**
 * Measurements as tables: times, their ratios to ours, and whether the goals were met.
 *
 * @module
 */

import { type Measurement, ratioOf, ratioRange, typical } from "./measure.ts";

/** What a comparison is to show. */
export interface Goal {
  /** The name of the one that has a goal. */
  readonly of: string;
  /** Whom it is compared with; of several, the fastest counts. */
  readonly against: readonly string[];
  /** The greatest ratio of its time to theirs that is good enough. */
  readonly limit: number;
}

/** A comparison that was made. */
export interface Comparison {
  /** What was measured. */
  readonly title: string;
  /** What each candidate took. */
  readonly measurements: readonly Measurement[];
  /** What was to be shown. */
  readonly goals: readonly Goal[];
}

/** Writes a comparison as a table of Markdown, followed by a line a goal. */
export function tableOf(comparison: Comparison): string {
  const { title, measurements, goals } = comparison;
  const [first] = measurements;
  const width = Math.max(...measurements.map(({ name }) => name.length));
  const rows = measurements.map((one) =>
    `| ${one.name.padEnd(width)} | ${timeText(typical(one))} | ${
      ratioText(ratioOf(one, first))
    } |`
  );
  return [
    `### ${title}`,
    "",
    `| ${"".padEnd(width)} | median     | ratio  |`,
    `| ${"-".repeat(width)} | ---------: | -----: |`,
    ...rows,
    "",
    ...goals.flatMap((goal) => goalLine(goal, measurements)),
    "",
  ].join("\n");
}

function goalLine(
  { of, against, limit }: Goal,
  measurements: readonly Measurement[],
): string[] {
  const own = measurements.find(({ name }) => name === of);
  const others = measurements
    .filter(({ name }) => against.includes(name))
    .sort((a, b) => typical(a) - typical(b));
  if (own === undefined || others.length === 0) return [];
  const [fastest] = others;
  const ratio = ratioOf(own, fastest);
  const range = ratioRange(own, fastest);
  return [
    `- Goal ${verdictOf(ratio, range, limit)}: ${of} takes ${
      numberText(ratio)
    } × ${fastest.name} (${range.map(numberText).join(" to ")}), ` +
    `and is to take ${numberText(limit)} × at most.`,
  ];
}

/** Where the limit lies in the range of the ratio, the run can't tell. */
function verdictOf(
  ratio: number,
  [low]: readonly [number, number],
  limit: number,
): string {
  if (ratio <= limit) return "met";
  return low <= limit ? "**undecided**" : "**not met**";
}

function timeText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(3) : ms.toFixed(1)} ms`.padStart(10);
}

function ratioText(ratio: number): string {
  return numberText(ratio).padStart(6);
}

function numberText(ratio: number): string {
  return ratio < 0.1 ? ratio.toFixed(4) : ratio.toFixed(2);
}

/** The goals of a single short statement. */
export function singleStatementGoals(of: string): Goal[] {
  return [
    { of, against: ["pg, Client"], limit: 1.1 },
    { of, against: ["deno-postgres, bare"], limit: 1 / 50 },
  ];
}
