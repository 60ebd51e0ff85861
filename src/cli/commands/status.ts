/**
 * `crdb status`: what is applied and what is pending.
 *
 * @module
 */

import { ask } from "../ask.ts";
import type { Command } from "../command.ts";
import { countPending, renderStatus } from "../render.ts";
import { toldStatus } from "../told.ts";

/** Shows the state of each migration. */
export const status: Command = {
  name: "status",
  summary: "show what is applied and what is pending",
  options: [
    { name: "exit-code", summary: "exit with 3 where something is pending" },
  ],
  async run(context) {
    const { args, reporter } = context;
    return await ask(context, { command: "status" }, async (migration) => {
      const migrations = (await migration.status()).map(toldStatus);
      const pending = countPending(migrations);
      const currentVersion = migrations.filter(({ applied }) =>
        applied
      ).at(-1)?.version ?? null;
      return {
        code: pending > 0 && args.has("exit-code") ? 3 : 0,
        text: renderStatus(migrations, reporter.style),
        data: { currentVersion, pending, migrations },
      };
    });
  },
};
