import { assert, assertEquals } from "@std/assert";
import { MigrationError } from "../../src/errors.ts";
import { databaseTest } from "../support/database.ts";
import { interrupted } from "../support/interruption.ts";
import { said, withTrial } from "../support/trial.ts";

const LEASE_MS = 3_000;

databaseTest(
  "a run whose server falls silent while it looks on ends",
  () => {
    const more = [{ name: "900_sleep.sql", text: "SELECT pg_sleep(60);" }];
    return withTrial({ strategy: "statements", more }, async (trial) => {
      let isSilent = false;
      const start = performance.now();
      const { error } = await interrupted(
        (db) => trial.migration(db, { leaseMs: LEASE_MS }).migrate(),
        trial.url,
        {
          onFrame: ({ text }) => {
            // The first question of the one who looks on.
            isSilent ||= text?.includes("extract(epoch FROM now()) * 1000") ===
              true;
            return isSilent ? "drop" : undefined;
          },
        },
      );
      assert(isSilent);
      assert(performance.now() - start < 30_000);
      const reason = error instanceof MigrationError ? error.cause : error;
      assert(reason !== undefined, said(error));
      const { applied } = await trial.journal();
      assertEquals(applied.length, 1);
    });
  },
);
