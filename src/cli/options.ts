/**
 * The options that all commands take.
 *
 * @module
 */

import type { Option } from "./command.ts";

/** The common options, in the order in which the help shows them. */
export const COMMON_OPTIONS: readonly Option[] = [
  {
    name: "url",
    value: "URL",
    summary: "the database; else DATABASE_URL, PGHOST and the like",
  },
  { name: "dir", value: "DIR", summary: "the migrations; else ./migrations" },
  {
    name: "table",
    value: "TABLE",
    summary: "the table of applied migrations; else _migrations",
  },
  { name: "driver", value: "DRIVER", summary: "deno-postgres or pg" },
  {
    name: "lock-timeout",
    value: "TIME",
    summary: "how long to wait for another run; else 60s",
  },
  {
    name: "lease",
    value: "TIME",
    summary: "how long a silent run keeps others out; else 15s",
  },
  {
    name: "allow-out-of-order",
    summary: "apply versions below one that is applied",
  },
  { name: "json", summary: "print one JSON document" },
  { name: "quiet", summary: "print no progress" },
  { name: "no-color", summary: "print without colour" },
  { name: "verbose", summary: "print where in the program an error arose" },
  { name: "help", summary: "show the help of the command" },
];

/** The option that stands for the command `version`. */
export const VERSION_OPTION: Option = {
  name: "version",
  summary: "show the version",
};
