/**
 * `crdb repair`: the answer to the question whether a statement took effect.
 *
 * @module
 */

import { ConfigError } from "../../errors.ts";
import { ask } from "../ask.ts";
import type { Command } from "../command.ts";

/** Says whether the statement in flight of a migration took effect. */
export const repair: Command = {
  name: "repair",
  summary: "say whether the statement that VERSION stopped at took effect",
  parameters: ["VERSION"],
  options: [
    { name: "done", summary: "it did" },
    { name: "not-done", summary: "it did not" },
  ],
  conflicts: ["done", "not-done"],
  async run(context) {
    const { args, reporter } = context;
    const version = args.versionParameter();
    if (!args.has("done") && !args.has("not-done")) {
      throw new ConfigError(
        "Cannot repair without an answer: the statement was done or it wasn't; give --done or --not-done",
      );
    }
    const outcome = args.has("done") ? "done" : "not-done";
    const { onEvent } = reporter;
    const command = `repair ${version} --${outcome}`;
    const left = "nothing is noted";
    return await ask(
      context,
      { command, left, isNote: true, onEvent },
      async (migration, signal) => {
        await migration.repair({ version, outcome }, { signal });
        const answer = outcome === "done" ? "was done" : "was not done";
        return {
          text: `Noted: the statement that ${version} stopped at ${answer}`,
          data: { version, outcome },
        };
      },
    );
  },
};
