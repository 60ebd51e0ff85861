/**
 * `crdb migrate`: applies what is pending.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { withMigration } from "../connection.ts";
import { planOutcome } from "../plan_outcome.ts";
import { runMigrations } from "../run.ts";

/** Applies what is pending. */
export const migrate: Command = {
  name: "migrate",
  summary: "apply the pending migrations",
  options: [
    { name: "to", value: "VERSION", summary: "up to and including this one" },
    { name: "dry-run", summary: "only print the statements" },
  ],
  async run(context) {
    const { args, reporter } = context;
    const targetVersion = args.version("to");
    if (args.has("dry-run")) {
      const plan = await withMigration(
        context,
        {},
        (migration) => migration.plan({ targetVersion }),
      );
      return planOutcome(plan, reporter.style);
    }
    const words = {
      command: "migrate",
      direction: "up",
      key: "applied",
      done: "applied",
      nothing: "Nothing to apply",
    } as const;
    return await runMigrations(
      context,
      words,
      (migration, options) => migration.migrate({ ...options, targetVersion }),
    );
  },
};
