/**
 * What others wrote, as the command shows it: without passwords. Pure.
 *
 * A plan is an exception: it shows the statements exactly as they would be run.
 *
 * @module
 */

import { redact } from "../driver/shown.ts";
import type { Problem } from "../migration/problems.ts";
import type { MigrationStatus } from "../migration/status.ts";
import { oneLine } from "./style.ts";

/** A longer text is cut before it is looked through, which would take long. */
const LOOKED_AT = 2_000;

/** Makes one line of a text, without passwords: behind the cut one couldn't be told any more. */
export function told(text: string, maxLength?: number): string {
  return oneLine(redact(oneLine(text, LOOKED_AT)), maxLength);
}

/** Shows a problem: its message may have the words of a server in it. */
export function toldProblem(problem: Problem): Problem {
  return { ...problem, message: redact(problem.message) };
}

/** Shows the state of a migration: why it stopped may be in the words of a server. */
export function toldStatus(status: MigrationStatus): MigrationStatus {
  const { error } = status;
  return error === undefined ? status : { ...status, error: redact(error) };
}
