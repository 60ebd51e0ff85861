import { assert, assertEquals } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { ensureMigrated } from "../../src/migration/ensure.ts";
import { databaseTest, server } from "../support/database.ts";
import { strategiesOf } from "../support/faults.ts";
import { type Trial, withTrial } from "../support/trial.ts";
import { bundle } from "../../src/migration/source.ts";

const STARTERS = 100;
/** The goal is 200 ms; a busy machine starts the answers of a hundred clients later. */
const LATEST_MS = 5_000;

interface Start {
  readonly count: number;
  readonly endedAt: number;
}

async function startAll(
  trial: Trial,
  strategy: "statements" | "transaction",
): Promise<Start[]> {
  return await Promise.all(Array.from({ length: STARTERS }, async () => {
    await using db = new Database({ url: trial.url, pool: { max: 1 } });
    const count = await ensureMigrated(db, {
      source: bundle(trial.files),
      strategy,
    });
    return { count, endedAt: performance.now() };
  }));
}

for (const strategy of strategiesOf(server.kind)) {
  databaseTest(
    `${STARTERS} starters of ensureMigrated() on an empty database apply each migration once (${strategy})`,
    () =>
      withTrial(
        { strategy, files: ["031", "033"], hasBase: false },
        async (trial) => {
          const starts = await startAll(trial, strategy);
          const total = starts.reduce((sum, { count }) => sum + count, 0);
          assertEquals(total, trial.files.length);
          const rows = await trial.db.query(
            "SELECT n FROM counters WHERE name = 'runs'",
          );
          assertEquals(rows, [{ n: 3 }]);
          const leaders = starts.filter(({ count }) => count > 0);
          const end = Math.max(...leaders.map(({ endedAt }) => endedAt));
          const latest = Math.max(...starts.map(({ endedAt }) => endedAt)) -
            end;
          console.log(
            `faults: the last of ${STARTERS} starters knew it ${
              Math.round(Math.max(0, latest))
            } ms after the leader on ${server.kind} (${strategy})`,
          );
          assert(
            latest < LATEST_MS,
            `the last starter knew it after ${latest} ms`,
          );
        },
      ),
  );
}
