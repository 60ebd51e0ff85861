/**
 * `crdb verify`: what is wrong with files and journal.
 *
 * @module
 */

import { ask } from "../ask.ts";
import type { Command } from "../command.ts";
import { renderProblems } from "../render.ts";
import { toldProblem } from "../told.ts";

/** Looks for edited and missing files, versions out of order, half-applied migrations. */
export const verify: Command = {
  name: "verify",
  summary: "look for edited, missing and half-applied migrations",
  async run(context) {
    return await ask(context, { command: "verify" }, async (migration) => {
      const problems = (await migration.verify()).map(toldProblem);
      return {
        code: problems.length === 0 ? 0 : 3,
        text: problems.length === 0
          ? "No problems found"
          : renderProblems(problems, context.reporter.style),
        data: { problems },
      };
    });
  },
};
