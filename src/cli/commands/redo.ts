/**
 * `crdb redo`: undoes the newest migration and applies it again.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { runMigrations, type RunWords } from "../run.ts";

/** Undoes the newest migration and applies it again. */
export const redo: Command = {
  name: "redo",
  summary: "undo the newest migration and apply it again",
  run: (context) => {
    const words: RunWords = {
      direction: "up",
      key: "redone",
      done: "undone and applied again",
      nothing: "Nothing to redo",
      goOn(finished) {
        const undone = finished.find(({ direction }) => direction === "down");
        // What is undone already isn't the newest any more.
        return undone === undefined
          ? "redo again"
          : `migrate --to ${undone.version}`;
      },
    };
    return runMigrations(
      context,
      words,
      (migration, options) => migration.redo(options),
    );
  },
};
