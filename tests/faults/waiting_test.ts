import { assert, assertEquals } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import type { MigrationEvent } from "../../src/migration/events.ts";
import { databaseTest } from "../support/database.ts";
import { said, withTrial } from "../support/trial.ts";

databaseTest(
  "migrate() names the session that a schema change waits for, and an abort gets it out",
  () => {
    const more = [{
      name: "900_add_a_column.sql",
      text:
        "UPDATE counters SET n = n + 1;\nALTER TABLE accounts ADD COLUMN extra INT8;",
    }];
    return withTrial({ strategy: "statements", more }, async (trial) => {
      await using reader = new Database({
        url: trial.url,
        applicationName: "a slow report",
      });
      const controller = new AbortController();
      const { promise, resolve } = Promise.withResolvers<
        MigrationEvent & { type: "statement-waiting" }
      >();
      const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
      const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
      const report = reader.transaction(async (tx) => {
        await tx.query("SELECT count(*) FROM accounts");
        read();
        await isOver;
      }, { maxRetries: 0 }).catch(() => {});
      await isRead;
      const start = performance.now();
      const run = trial.behind("migrate", {
        onEvent: (event) => {
          if (event.type === "statement-waiting") resolve(event);
        },
      }, { cancelSignal: controller.signal });
      const event = await Promise.race([
        promise,
        run.then(({ error }) => {
          throw new Error(`it didn't wait: ${said(error)}`);
        }),
      ]);
      assert(performance.now() - start < 15_000);
      assert(event.elapsedMs >= 2_000);
      assert(
        event.blockers.some(({ application }) =>
          application === "a slow report"
        ),
        JSON.stringify(event),
      );
      const abortedAt = performance.now();
      controller.abort(new Error("the operator has had enough"));
      const { error } = await run;
      assert(error !== undefined);
      const tookMs = performance.now() - abortedAt;
      assert(tookMs < 10_000, `it took ${tookMs} ms to get out`);
      over();
      await report;
      assertEquals((await trial.journal()).applied.length, 1);
      assertEquals(await trial.run("migrate"), 1);
      assertEquals(
        await trial.db.query(
          "SELECT n, count(extra) FROM counters, accounts GROUP BY n",
        ),
        [{ n: 1, count: 0 }],
      );
    });
  },
);

databaseTest(
  "migrate() names the session that a data statement waits for",
  () => {
    const more = [{
      name: "900_count.sql",
      text: "UPDATE counters SET n = n + 1;",
    }];
    return withTrial({ strategy: "statements", more }, async (trial) => {
      await using writer = new Database({
        url: trial.url,
        applicationName: "a slow import",
      });
      const { promise: isTold, resolve: told } = Promise.withResolvers<void>();
      const { promise: isWritten, resolve: written } = Promise.withResolvers<
        void
      >();
      const names: string[] = [];
      const other = writer.transaction(async (tx) => {
        await tx.execute("UPDATE counters SET n = n + 1");
        written();
        await isTold;
      });
      await isWritten;
      const { error } = await trial.behind("migrate", {
        onEvent: (event) => {
          if (event.type !== "statement-waiting") return;
          names.push(...event.blockers.map(({ application }) => application));
          told();
        },
      });
      await other;
      assertEquals(error, undefined, said(error));
      assert(names.includes("a slow import"), names.join());
      assertEquals(await trial.db.query("SELECT n FROM counters"), [{ n: 2 }]);
    });
  },
);

databaseTest(
  "a time limit that ends the waiting for COMMIT's answer doesn't undo what is committed",
  () => {
    const more = [{
      name: "900_count.sql",
      text: "-- @TIMEOUT 300ms\nUPDATE counters SET n = n + 1;",
    }];
    return withTrial({ strategy: "transaction", more }, async (trial) => {
      let stuck: number | undefined;
      const { error } = await trial.behind("migrate", {
        onFrame: ({ direction, connection, text }) => {
          if (text?.includes("counters SET n")) stuck = connection;
          return direction === "server" && connection === stuck
            ? "drop"
            : undefined;
        },
      });
      assertEquals(error, undefined, said(error));
      await trial.endLease();
      assertEquals(await trial.run("migrate"), 0);
      assertEquals(await trial.db.query("SELECT n FROM counters"), [{ n: 1 }]);
    });
  },
  { on: ["postgresql"] },
);

databaseTest(
  "migrate() keeps the intent of a schema change whose job an operator has paused",
  () => {
    const statement = "ALTER TABLE accounts ADD COLUMN extra INT8";
    const more = [{ name: "900_add_a_column.sql", text: `${statement};` }];
    return withTrial({ strategy: "statements", more }, async (trial) => {
      const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
      const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
      const report = trial.db.transaction(async (tx) => {
        await tx.query("SELECT count(*) FROM accounts");
        read();
        await isOver;
      }, { maxRetries: 0 }).catch(() => {});
      await isRead;
      let job = "";
      const { error } = await trial.behind("migrate", {
        onEvent: (event) => {
          if (event.type !== "job-progress" || job !== "") return;
          job = event.job;
          trial.db.execute(`PAUSE JOB ${job}`);
        },
      });
      assertEquals(
        said(error),
        `Stopped at 900_add_a_column.sql:1:1: on the server statement 1 is paused (job ${job}); ` +
          `end that with RESUME JOB ${job} or CANCEL JOB ${job}, and run the command again, it finds out what was done`,
      );
      over();
      await report;
      await trial.db.execute(`RESUME JOB ${job}`);
      assertEquals(await trial.run("migrate"), 1);
      assertEquals(
        await trial.db.query("SELECT count(extra) AS n FROM accounts"),
        [{ n: 0 }],
      );
    });
  },
  { on: ["cockroachdb"] },
);
