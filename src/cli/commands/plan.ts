/**
 * `crdb plan`: what `crdb migrate` would do.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { withMigration } from "../connection.ts";
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
    const plan = await withMigration(
      context,
      {},
      (migration) => migration.plan({ targetVersion }),
    );
    return planOutcome(plan, reporter.style);
  },
};
