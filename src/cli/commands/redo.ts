/**
 * `crdb redo`: undoes the newest migration and applies it again.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { runMigrations } from "../run.ts";

/** Undoes the newest migration and applies it again. */
export const redo: Command = {
  name: "redo",
  summary: "undo the newest migration and apply it again",
  run: (context) => {
    const words = {
      command: "migrate",
      direction: "up",
      key: "redone",
      done: "undone and applied again",
      nothing: "Nothing to redo",
    } as const;
    return runMigrations(
      context,
      words,
      (migration, options) => migration.redo(options),
    );
  },
};
