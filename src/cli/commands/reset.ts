/**
 * `crdb reset`: undoes all migrations.
 *
 * @module
 */

import { ConfigError } from "../../errors.ts";
import type { Command } from "../command.ts";
import { runMigrations } from "../run.ts";
import { ROLLBACK_WORDS } from "./rollback.ts";

/** Undoes all migrations. */
export const reset: Command = {
  name: "reset",
  summary: "undo all migrations",
  options: [
    { name: "yes", summary: "confirm that their data may be lost" },
  ],
  run(context) {
    if (!context.args.has("yes")) {
      throw new ConfigError(
        "Cannot reset without --yes: it undoes every migration, and the data in their tables is lost; run crdb reset --yes",
      );
    }
    return runMigrations(
      context,
      { ...ROLLBACK_WORDS, goOn: () => "reset --yes" },
      (migration, options) => migration.reset(options),
    );
  },
};
