/**
 * `crdb migrate`: applies what is pending.
 *
 * @module
 */

import { ask } from "../ask.ts";
import type { Command } from "../command.ts";
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
      return await ask(
        context,
        { command: "migrate --dry-run" },
        async (migration) =>
          planOutcome(await migration.plan({ targetVersion }), reporter.style),
      );
    }
    const words = {
      direction: "up",
      key: "applied",
      done: "applied",
      nothing: "Nothing to apply",
      goOn: () =>
        targetVersion === undefined
          ? "migrate again"
          : `migrate --to ${targetVersion}`,
    } as const;
    return await runMigrations(
      context,
      words,
      (migration, options) => migration.migrate({ ...options, targetVersion }),
    );
  },
};
