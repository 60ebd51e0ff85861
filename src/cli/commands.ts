/**
 * The commands that there are, in the order in which the help shows them.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { baseline } from "./commands/baseline.ts";
import { create } from "./commands/create.ts";
import { helpFor } from "./commands/help.ts";
import { migrate } from "./commands/migrate.ts";
import { plan } from "./commands/plan.ts";
import { redo } from "./commands/redo.ts";
import { repair } from "./commands/repair.ts";
import { reset } from "./commands/reset.ts";
import { rollback } from "./commands/rollback.ts";
import { status } from "./commands/status.ts";
import { unlock } from "./commands/unlock.ts";
import { verify } from "./commands/verify.ts";
import { version } from "./commands/version.ts";

const WITHOUT_HELP: readonly Command[] = [
  create,
  migrate,
  rollback,
  redo,
  reset,
  status,
  plan,
  verify,
  baseline,
  repair,
  unlock,
  version,
];

/** All commands. */
export const COMMANDS: readonly Command[] = [
  ...WITHOUT_HELP,
  helpFor(WITHOUT_HELP),
];
