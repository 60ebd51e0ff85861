/**
 * `crdb plan`: what `crdb migrate` would do.
 *
 * @module
 */

import { ask } from "../ask.ts";
import type { Command } from "../command.ts";
import { planOutcome } from "../plan_outcome.ts";

/** Shows what `migrate` would do, statement by statement. */
export const plan: Command = {
  name: "plan",
  summary: "show the statements that migrate would run",
  options: [
    { name: "to", value: "VERSION", summary: "up to and including this one" },
  ],
  async run(context) {
    const { args, reporter } = context;
    const targetVersion = args.version("to");
    return await ask(
      context,
      { command: "plan" },
      async (migration) =>
        planOutcome(await migration.plan({ targetVersion }), reporter.style),
    );
  },
};
