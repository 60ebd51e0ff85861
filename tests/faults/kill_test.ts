import { assert, assertEquals } from "@std/assert";
import { databaseTest, server } from "../support/database.ts";
import { faultProxy } from "../support/fault_proxy.ts";
import { chosen, part, report, strategiesOf } from "../support/faults.ts";
import { startRunner } from "../support/runner_process.ts";
import {
  type Action,
  difference,
  type Trial,
  withTrial,
} from "../support/trial.ts";

const STRIDE = 8;
const DIRECTIONS = ["migrate", "rollback"] as const;

/** Kills a process when its n-th statement has come by, which the server still gets. */
async function killAt(
  trial: Trial,
  options: {
    action: Action;
    nth: number;
    strategy: "statements" | "transaction";
  },
): Promise<{ isKilled: boolean }> {
  const { action, nth, strategy } = options;
  const { hostname: host, port } = new URL(trial.url);
  let count = 0;
  let isKilled = false;
  await using proxy = await faultProxy({
    upstream: { host, port: Number(port) },
    onFrame: ({ direction, text }) => {
      if (direction === "server" || text === undefined || ++count !== nth) {
        return;
      }
      isKilled = true;
      runner.kill("SIGKILL");
    },
  });
  const runner = startRunner({
    ...{ url: proxy.through(trial.url), files: [...trial.files], action },
    ...{ strategy, leaseMs: 600_000 },
  });
  await runner.result;
  return { isKilled };
}

for (const strategy of strategiesOf(server.kind)) {
  databaseTest(
    `migrate() and rollback() survive SIGKILL at their statements (${strategy}; ${
      part(STRIDE)
    })`,
    () =>
      withTrial({ strategy, files: ["033"] }, async (trial) => {
        const expected: Partial<Record<Action, string>> = {};
        const queues: Partial<Record<Action, number[]>> = {};
        for (const action of DIRECTIONS) {
          const { frames } = await trial.behind(action);
          const { length } = frames.filter(({ direction, text }) =>
            direction === "client" && text !== undefined
          );
          const numbers = Array.from({ length }, (_, index) => index + 1);
          queues[action] = chosen(numbers, STRIDE, 3);
          expected[action] = await trial.snapshot();
        }
        let survived = 0;
        while (DIRECTIONS.some((action) => queues[action]!.length > 0)) {
          for (const action of DIRECTIONS) {
            const nth = queues[action]!.shift();
            if (nth === undefined) {
              await trial.run(action);
              continue;
            }
            const { isKilled } = await killAt(trial, { action, nth, strategy });
            assert(isKilled, `${action} has no statement ${nth}`);
            const { applied, progress } = await trial.journal();
            const isOver = progress === undefined &&
              applied.length === (action === "migrate" ? 2 : 1);
            if (!isOver) await trial.run(action);
            const found = await trial.snapshot();
            assertEquals(
              difference(expected[action]!, found),
              "",
              `${action}, killed at statement ${nth}`,
            );
            survived++;
          }
        }
        report(survived, `SIGKILL, ${strategy}`);
      }),
  );
}
