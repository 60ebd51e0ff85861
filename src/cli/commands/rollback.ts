/**
 * `crdb rollback`: undoes migrations.
 *
 * @module
 */

import { ask } from "../ask.ts";
import type { Command } from "../command.ts";
import { planOutcome } from "../plan_outcome.ts";
import { type Finished, runMigrations, type RunWords } from "../run.ts";

/** How a rollback is told. */
export const ROLLBACK_WORDS: Omit<RunWords, "goOn"> = {
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
      return await ask(
        context,
        { command: "rollback --dry-run" },
        async (migration) =>
          planOutcome(await migration.planRollback(wish), reporter.style),
      );
    }
    const goOn = (finished: readonly Finished[]) =>
      restOf(wish, finished.length);
    return await runMigrations(
      context,
      { ...ROLLBACK_WORDS, goOn },
      (migration, options) => migration.rollback({ ...options, ...wish }),
    );
  },
};

/** The command that undoes the rest; what is half undone counts as the first of it. */
function restOf(
  { count, targetVersion }: { count?: number; targetVersion?: string },
  undone: number,
): string | undefined {
  if (targetVersion !== undefined) return `rollback --to ${targetVersion}`;
  if (count === Infinity) return "rollback --all";
  const left = (count ?? 1) - undone;
  if (left <= 0) return undefined;
  return count === undefined ? "rollback again" : `rollback --count ${left}`;
}
