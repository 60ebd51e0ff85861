/**
 * `crdb rollback`: undoes migrations.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { withMigration } from "../connection.ts";
import { planOutcome } from "../plan_outcome.ts";
import { runMigrations, type RunWords } from "../run.ts";

/** How a rollback is told. */
export const ROLLBACK_WORDS: RunWords = {
  command: "rollback",
  direction: "down",
  key: "undone",
  done: "rolled back",
  nothing: "Nothing to roll back",
};

/** Undoes migrations, newest first. */
export const rollback: Command = {
  name: "rollback",
  summary: "undo the newest migration, or several",
  options: [
    { name: "count", value: "N", summary: "how many, newest first; else 1" },
    { name: "to", value: "VERSION", summary: "down to this one, which stays" },
    { name: "all", summary: "all of them" },
    { name: "dry-run", summary: "only print the statements" },
  ],
  conflicts: ["count", "to", "all"],
  async run(context) {
    const { args, reporter } = context;
    const targetVersion = args.version("to");
    const count = args.has("all") ? Infinity : args.count("count");
    const wish = { count, targetVersion };
    if (args.has("dry-run")) {
      const plan = await withMigration(
        context,
        {},
        (migration) => migration.planRollback(wish),
      );
      return planOutcome(plan, reporter.style);
    }
    return await runMigrations(
      context,
      ROLLBACK_WORDS,
      (migration, options) => migration.rollback({ ...options, ...wish }),
    );
  },
};
