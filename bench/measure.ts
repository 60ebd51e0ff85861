/**
 * Measures things side by side: in every round each is measured once, one after the other, so that
 * whatever else the machine does meets them all; and in another order, so that each has to clear up
 * the garbage of every other one.
 *
 * @module
 */

/** Something to measure. */
export interface Candidate {
  /** The name that the tables show. */
  readonly name: string;
  /** Makes what it needs; it isn't measured. */
  prepare?(): void;
  /** Does it once, or several times; what it returns is how often, by default once. */
  run(): Promise<number | void>;
  /** Puts things back as they were; it isn't measured. */
  reset?(): Promise<void>;
}

/** What a candidate took. */
export interface Measurement {
  /** The candidate's name. */
  readonly name: string;
  /** What each round took, in milliseconds for one time. */
  readonly times: readonly number[];
}

/**
 * Measures candidates.
 *
 * @param rounds How many rounds are counted; one more warms everything up.
 */
export async function measure(
  candidates: readonly Candidate[],
  rounds: number,
): Promise<Measurement[]> {
  const times = candidates.map((): number[] => []);
  const order = candidates.map((_, index) => index);
  for (let round = 0; round <= rounds; round++) {
    shuffle(order);
    for (const index of order) {
      const { prepare, run, reset } = candidates[index];
      prepare?.();
      const start = performance.now();
      const count = await run() ?? 1;
      const ms = (performance.now() - start) / count;
      if (round > 0) times[index].push(ms);
      await reset?.();
    }
  }
  return candidates.map(({ name }, index) => ({ name, times: times[index] }));
}

/** What a candidate took in a typical round, in milliseconds for one time. */
export function typical({ times }: Measurement): number {
  return median(times);
}

/**
 * How many times as long as another a candidate took in a typical round: both meet the same moods of
 * the machine in a round, but not in all of them.
 */
export function ratioOf(one: Measurement, other: Measurement): number {
  return median(one.times.map((time, round) => time / other.times[round]));
}

/**
 * Where that ratio lies with a probability of 95 %: between two of the rounds' ratios.
 *
 * Source: {@link https://en.wikipedia.org/wiki/Median#Confidence_intervals}
 */
export function ratioRange(
  one: Measurement,
  other: Measurement,
): [number, number] {
  const ratios = one.times.map((time, round) => time / other.times[round])
    .sort((a, b) => a - b);
  const { length } = ratios;
  const reach = 0.98 * Math.sqrt(length);
  const low = Math.max(Math.floor(length / 2 - reach), 1);
  return [ratios[low - 1], ratios[length - low]];
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Fisher and Yates. */
function shuffle(numbers: number[]): void {
  for (let last = numbers.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [numbers[last], numbers[other]] = [numbers[other], numbers[last]];
  }
}
