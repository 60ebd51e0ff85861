import { assert, assertEquals } from "@std/assert";
import { databaseTest, server } from "../support/database.ts";
import { strategiesOf } from "../support/faults.ts";
import type { Recorded } from "../support/interruption.ts";
import { withTrial } from "../support/trial.ts";

/** What a run of these may cost beside the statements themselves. */
const RUN = 5;
const SCHEMA_CHANGE = 2;
const DATA = 1;

const schemaChange = (number: number) =>
  `ALTER TABLE accounts ADD COLUMN extra_${number} INT8`;
const data = (number: number) => `UPDATE counters SET n = n + ${number}`;

/** The round trips of a run, the heartbeat's among them: the server's answers, but for those to log-ins. */
function roundTrips(frames: readonly Recorded[]): number {
  const count = (kind: string) =>
    frames.filter(({ type }) => type === kind).length;
  return count("ReadyForQuery") - count("StartupMessage");
}

for (const strategy of strategiesOf(server.kind)) {
  const cases: [string, string[], number][] = [
    ["one schema change", [schemaChange(1)], SCHEMA_CHANGE],
    [
      "three schema changes",
      [1, 2, 3].map(schemaChange),
      3 * SCHEMA_CHANGE,
    ],
    ["one data statement", [data(1)], DATA],
    ["three data statements", [1, 2, 3].map(data), 3 * DATA],
    [
      "schema changes and data statements",
      [data(1), schemaChange(1), data(2), schemaChange(2), data(3)],
      2 * SCHEMA_CHANGE + 3 * DATA,
    ],
  ];
  for (const [what, statements, allowed] of cases) {
    databaseTest(
      `migrate() takes at most ${RUN} round trips for the run and ${allowed} for ${what} (${strategy})`,
      () => {
        const more = [{ name: "900_count.sql", text: statements.join(";\n") }];
        return withTrial({ strategy, more }, async (trial) => {
          const { frames, error } = await trial.behind("migrate");
          assertEquals(error, undefined);
          const beside = roundTrips(frames) - statements.length;
          assert(beside <= RUN + allowed, `${beside} round trips`);
          // Fewer than the statements' notes: then the counting is wrong.
          assert(beside >= 2, `${beside} round trips`);
        });
      },
    );
  }

  databaseTest(
    `migrate() takes one round trip and writes nothing where nothing is pending (${strategy})`,
    () =>
      withTrial({ strategy }, async (trial) => {
        const { frames } = await trial.behind("migrate");
        assertEquals(roundTrips(frames), 1);
        const [text] = frames.flatMap(({ text }) => text ?? []);
        assert(text.startsWith("SELECT"), text);
      }),
  );
}
