/**
 * `crdb unlock`: ends the lease of a run that is gone.
 *
 * @module
 */

import { ask } from "../ask.ts";
import type { Command } from "../command.ts";
import { oneLine } from "../style.ts";

/** Ends the lease, whoever holds it. */
export const unlock: Command = {
  name: "unlock",
  summary: "end the lease of a run that is gone",
  async run(context) {
    const left = "whether the lease is ended isn't known";
    return await ask(
      context,
      { command: "unlock", left, reads: "database" },
      async (migration) => {
        const holder = await migration.unlock();
        return {
          text: holder === undefined
            ? "Nobody holds the lease"
            : `The lease of ${oneLine(holder)} is ended`,
          data: { holder: holder ?? null },
        };
      },
    );
  },
};
