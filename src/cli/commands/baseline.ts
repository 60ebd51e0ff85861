/**
 * `crdb baseline`: takes over a database that has its schema already.
 *
 * @module
 */

import { ask } from "../ask.ts";
import type { Command } from "../command.ts";
import { counted } from "../progress.ts";

/** Notes the migrations up to a version as applied, without running them. */
export const baseline: Command = {
  name: "baseline",
  summary: "note the migrations up to VERSION as applied, without running them",
  parameters: ["VERSION"],
  async run(context) {
    const { args, reporter } = context;
    const version = args.versionParameter();
    const { onEvent } = reporter;
    const left = "nothing is noted";
    return await ask(
      context,
      { command: `baseline ${version}`, left, isNote: true, onEvent },
      async (migration, signal) => {
        const noted = await migration.baseline(version, { signal });
        return {
          text: noted === 0
            ? `Nothing to note: all up to ${version} are applied`
            : `${
              counted(noted, "migration")
            } noted as applied, up to ${version}`,
          data: { version, noted },
        };
      },
    );
  },
};
