/**
 * Tells of a run while it goes on, on standard error, so that standard output holds the result
 * alone.
 *
 * @module
 */

import type { MigrationEvent } from "../migration/events.ts";
import type { CommandIo } from "./io.ts";
import { renderEvent } from "./progress.ts";
import { type Style, styleFor } from "./style.ts";
import type { Arguments } from "./values.ts";
import type { TextWriter } from "./writers.ts";

/** Tells of a run. */
export interface Reporter {
  /** How the result is coloured. */
  readonly style: Style;
  /** Tells of an event, unless progress isn't wanted. */
  onEvent(event: MigrationEvent): void;
  /** Says what has to be known in any case. */
  notice(text: string): void;
}

/** Makes what tells of a run, as the options want it. */
export function createReporter(args: Arguments, io: CommandIo): Reporter {
  // The runtime reads NO_COLOR itself, which needs no permission: https://no-color.org
  const isColored = ({ isTerminal }: TextWriter) =>
    isTerminal && !Deno.noColor && !args.has("no-color");
  const { stdout, stderr } = io;
  const style = styleFor(isColored(stderr));
  const isQuiet = args.has("quiet");
  return {
    style: styleFor(isColored(stdout)),
    onEvent(event) {
      const text = isQuiet ? undefined : renderEvent(event, style);
      if (text !== undefined) stderr.write(`${text}\n`);
    },
    notice: (text) => stderr.write(`${text}\n`),
  };
}
