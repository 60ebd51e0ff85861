import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { databaseTest, server } from "../support/database.ts";
import { strategiesOf } from "../support/faults.ts";
import { faultProxy } from "../support/fault_proxy.ts";
import { startRunner } from "../support/runner_process.ts";
import { kind, said, type Trial, withTrial } from "../support/trial.ts";

const RUNNERS = 20;

/** Migrations that take a while: rows are changed in chunks, with pauses. */
const SLOW = [1, 2, 3].map((number) => ({
  name: `90${number}_go_slowly.sql`,
  text: `-- @BACKFILL table=accounts key=id batch=4 pause=150ms
UPDATE accounts SET rank = rank + 1 WHERE id BETWEEN $from AND $to;
UPDATE counters SET n = n + 1 WHERE name = 'runs';
-- @UNDO
UPDATE counters SET n = n - 1 WHERE name = 'runs';`,
}));

/** Runs migrate() for many clients at once, and gives how many migrations each of them applied. */
async function inCrowd(trial: Trial, runners: number): Promise<number[]> {
  return await Promise.all(Array.from({ length: runners }, async () => {
    await using db = new Database({ url: trial.url });
    return await trial.migration(db, { leaseMs: 3_000, lockTimeoutMs: 60_000 })
      .migrate();
  }));
}

async function assertOnce(trial: Trial): Promise<void> {
  const { applied, progress } = await trial.journal();
  assertEquals(progress, undefined);
  assertEquals(
    applied.map(({ version }) => version).sort(),
    trial.files.map(({ name }) => name.slice(0, 3)),
  );
  const rows = await trial.db.query(
    "SELECT n, (SELECT count(*) FROM accounts WHERE rank = 3) AS ranked FROM counters",
  );
  assertEquals(rows, [{ n: 3, ranked: 20 }]);
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

for (const strategy of strategiesOf(server.kind)) {
  databaseTest(
    `${RUNNERS} runners at once on an empty database apply each migration once (${strategy})`,
    () =>
      withTrial({ strategy, more: SLOW, hasBase: false }, async (trial) => {
        assertEquals(sum(await inCrowd(trial, RUNNERS)), 4);
        await assertOnce(trial);
      }),
  );
}

databaseTest(
  `${RUNNERS} runners go on without one that is stopped past its lease, and it can't go on (SIGSTOP)`,
  () =>
    withTrial({ strategy: "statements", more: SLOW }, async (trial) => {
      const paused = startRunner({
        ...{ url: trial.url, files: [...trial.files] },
        ...{ strategy: "statements", leaseMs: 3_000 },
      });
      await paused.seen(({ type }) => type === "backfill-progress");
      paused.kill("SIGSTOP");
      const counts = await inCrowd(trial, RUNNERS - 1);
      assertEquals(sum(counts), 3);
      paused.kill("SIGCONT");
      const { error } = await paused.result ?? {};
      assert(error !== undefined, "the stopped runner went through");
      await assertOnce(trial);
    }),
);

const HEARTBEAT = "SET expires_at = now()";

for (
  const [what, held] of [
    ["a data statement", "BEGIN; UPDATE counters"],
    ["an intent", '"intent":{"ordinal":1'],
    ["a schema change", "ALTER TABLE accounts ADD"],
  ] as const
) {
  databaseTest(
    `a runner whose lease was taken can't write: ${what} of it comes late`,
    () => {
      const more = [{
        name: "900_add_a_column.sql",
        text: "UPDATE counters SET n = n + 1;\n" +
          "ALTER TABLE accounts ADD COLUMN late INT8;\nUPDATE counters SET n = n + 10;",
      }];
      return withTrial({ strategy: "statements", more }, async (trial) => {
        const { hostname: host, port } = new URL(trial.url);
        const { promise: isHeld, resolve: hold } = Promise.withResolvers<
          void
        >();
        const { promise: isFree, resolve: free } = Promise.withResolvers<
          void
        >();
        await using proxy = await faultProxy({
          upstream: { host, port: Number(port) },
          onFrame: async ({ direction, text }) => {
            if (direction === "server" || text === undefined) return;
            // A heartbeat would prolong the lease that is to run out.
            if (!text.includes(held) && !text.includes(HEARTBEAT)) return;
            if (text.includes(held)) hold();
            await isFree;
          },
        });
        await using db = new Database({ url: proxy.through(trial.url) });
        const late = trial.migration(db).migrate()
          .then(() => undefined, (error) => error);
        await isHeld;
        // So that nobody may end the late runner's sessions: the fence alone has to keep it out.
        await trial.db.execute(
          "UPDATE _migrations_lease SET expires_at = '1970-01-01', username = 'another'",
        );
        assertEquals(await trial.run("migrate"), 1);
        const expected = await trial.snapshot();
        free();
        const error = await late;
        assert(error !== undefined, "the late runner went through");
        if (what !== "a schema change") {
          assertStringIncludes(said(error), "another runner has taken");
        }
        assertEquals(await trial.snapshot(), expected);
        assertEquals(await trial.db.query("SELECT n FROM counters"), [
          { n: 11 },
        ]);
      });
    },
  );
}

databaseTest(
  "runners whose clocks are ten minutes fast and slow keep to one lease",
  () =>
    withTrial({ strategy: "statements", more: SLOW }, async (trial) => {
      const order = {
        ...{ url: trial.url, files: [...trial.files] },
        ...{ strategy: "statements" as const, leaseMs: 3_000 },
      };
      const runners = [600_000, -600_000, 0].map((clockOffMs) =>
        startRunner({ ...order, clockOffMs })
      );
      const results = await Promise.all(runners.map(({ result }) => result));
      assertEquals(results.map((result) => result?.error), [
        undefined,
        undefined,
        undefined,
      ]);
      assertEquals(sum(results.map((result) => result!.count!)), 3);
      await assertOnce(trial);
      // The lease was never taken from one who held it: it was taken by the base's run and by each.
      const rows = await trial.db.query(
        "SELECT max(abs(extract(epoch FROM now() - applied_at))) < 300 AS recent FROM _migrations",
      );
      assertEquals(rows, [{ recent: true }]);
    }),
);

databaseTest(
  "waiting for a lease ends in time, with the holder's name",
  () =>
    withTrial({ strategy: "statements", more: SLOW }, async (trial) => {
      await trial.db.execute(
        `UPDATE _migrations_lease SET holder = 'ada on vax', username = 'another',
         expires_at = now() + INTERVAL '1 minute'`,
      );
      const start = performance.now();
      const error = await trial.migration(trial.db, { lockTimeoutMs: 500 })
        .migrate().then(() => undefined, (error) => error);
      assertStringIncludes(said(error), "ada on vax holds it since");
      assertEquals(error?.name, "LockTimeoutError");
      assert(performance.now() - start < 10_000);
      assert(kind !== undefined);
    }),
);
