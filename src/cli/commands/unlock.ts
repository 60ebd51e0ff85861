/**
 * `crdb unlock`: ends the lease of a run that is gone.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { withMigration } from "../connection.ts";
import { oneLine } from "../style.ts";

/** Ends the lease, whoever holds it. */
export const unlock: Command = {
  name: "unlock",
  summary: "end the lease of a run that is gone",
  async run(context) {
    const holder = await withMigration(
      context,
      { reads: "database" },
      (migration) => migration.unlock(),
    );
    return {
      text: holder === undefined
        ? "Nobody holds the lease"
        : `The lease of ${oneLine(holder)} is ended`,
      data: { holder: holder ?? null },
    };
  },
};
