/**
 * `crdb version`.
 *
 * @module
 */

import config from "../../../deno.json" with { type: "json" };
import type { Command } from "../command.ts";

/** Shows the version. */
export const version: Command = {
  name: "version",
  summary: "show the version of crdb",
  run: () => ({
    text: `crdb ${config.version}`,
    data: { version: config.version },
  }),
};
