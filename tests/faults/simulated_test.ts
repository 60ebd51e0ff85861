import { assert, assertEquals } from "@std/assert";
import { classify } from "../../src/migration/statement.ts";
import { databaseTest } from "../support/database.ts";
import { difference, said, withTrial } from "../support/trial.ts";

const FILES = ["031", "033", "034"];

for (const file of FILES) {
  databaseTest(
    `migrate() of ${file} comes to the same on a server that commits before a schema change (simulated)`,
    async () => {
      let expected = "";
      const options = { strategy: "statements", files: [file] } as const;
      await withTrial(options, async (trial) => {
        await trial.run("migrate");
        expected = (await trial.snapshot()).replaceAll(trial.database, "db");
      });
      await withTrial(options, async (trial) => {
        let committed = 0;
        const { error } = await trial.behind("migrate", {
          onFrame: ({ direction, type, text }) => {
            if (direction === "server" || type !== "Query" || !text) return;
            if (classify(text).kind !== "ddl") return;
            committed++;
            // A COMMIT without a transaction only warns, as CockroachDB's own does.
            return { rewrite: `COMMIT; ${text}` };
          },
        });
        assertEquals(error, undefined, said(error));
        assert(file === "031" ? committed === 0 : committed > 0);
        const found = await trial.snapshot();
        assertEquals(
          difference(expected, found.replaceAll(trial.database, "db")),
          "",
        );
      });
    },
    // CockroachDB refuses a COMMIT without a transaction, where PostgreSQL only warns.
    { on: ["postgresql"] },
  );
}

databaseTest(
  "migrate() and rollback() never rely on locks that are stubs, nor change the schema in a transaction (simulated)",
  () =>
    withTrial(
      { strategy: "statements", files: FILES },
      async (trial) => {
        for (const action of ["migrate", "rollback"] as const) {
          const { error, frames } = await trial.behind(action);
          assertEquals(error, undefined);
          const texts = frames.flatMap(({ text }) => text ?? []);
          assertEquals(
            texts.filter((text) => /advisory|LOCK TABLE/i.test(text)),
            [],
          );
          assertEquals(
            texts.filter((text) =>
              /\b(CREATE|ALTER|DROP) (TABLE|INDEX|SCHEMA)\b/.test(text) &&
              /\b(BEGIN|COMMIT)\b/.test(text)
            ),
            [],
          );
        }
      },
    ),
);
