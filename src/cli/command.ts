/**
 * What a command is: a name, its options and parameters, and a run that gives an outcome.
 *
 * @module
 */

import type { CommandIo } from "./io.ts";
import type { Reporter } from "./reporter.ts";
import type { Arguments } from "./values.ts";

/** An option. */
export interface Option {
  /** The name, without its dashes. */
  readonly name: string;
  /** What its value is, such as `VERSION`; a flag has none. */
  readonly value?: string;
  /** What it is for, in a line. */
  readonly summary: string;
}

/** What a run is given. */
export interface Context {
  /** The options and parameters. */
  readonly args: Arguments;
  /** The signals and writers. */
  readonly io: CommandIo;
  /** Tells of the run while it goes on. */
  readonly reporter: Reporter;
}

/** How to go on with a run that ended early. */
export interface GoOn {
  /** The command that ends where the run was to end, such as `rollback --count 2`. */
  readonly run: string;
  /** Whether the same command again would end elsewhere. */
  readonly isOther: boolean;
}

/** What a run has come to. */
export interface Outcome {
  /** The exit code. Default: 0, or that of the error. */
  readonly code?: number;
  /** The result for people. */
  readonly text?: string;
  /** The result for programs. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Why it failed, where it did. */
  readonly error?: unknown;
  /** How to go on from there. */
  readonly goOn?: GoOn;
}

/** A command. */
export interface Command {
  /** The name. */
  readonly name: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** Its parameters, in order; the last one takes all words where its name ends in `…`. */
  readonly parameters?: readonly string[];
  /** Whether the parameters may be left out. */
  readonly isOptional?: boolean;
  /** Its own options; all commands take the common ones too. */
  readonly options?: readonly Option[];
  /** Names of options of which one at most may be given. */
  readonly conflicts?: readonly string[];
  /** Runs it. */
  run(context: Context): Promise<Outcome> | Outcome;
}
