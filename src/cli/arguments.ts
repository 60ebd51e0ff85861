/**
 * Arguments to a command and what it was given. Options may stand before the command and after it.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { closest } from "../closest.ts";
import { ConfigError } from "../errors.ts";
import type { Command, Option } from "./command.ts";
import { COMMON_OPTIONS, VERSION_OPTION } from "./options.ts";
import { Arguments } from "./values.ts";

/** A command and what it was given. */
export interface Call {
  /** The command. */
  readonly command: Command;
  /** Its options and parameters. */
  readonly given: Arguments;
}

/**
 * Finds out which command is called, and with what.
 *
 * @param args The arguments.
 * @param commands The commands that there are, `help` and `version` among them.
 * @throws {ConfigError} An unknown command or option, a missing value, options that contradict each
 * other, a parameter too many or too few.
 */
export function parseArguments(
  args: readonly string[],
  commands: readonly Command[],
): Call {
  const { values, flags, words, unknown } = split(args, commands);
  const find = (name: string) => commands.find((one) => one.name === name)!;
  const [word, ...parameters] = words;
  const command = commands.find(({ name }) => name === word);
  if (word !== undefined && command === undefined) {
    const meant = closest(word, commands.map(({ name }) => name));
    throw new ConfigError(
      `Cannot run "${word}": there is no such command; ${
        meant === undefined ? "see crdb help" : `did you mean ${meant}?`
      }`,
    );
  }
  if (unknown !== undefined) throw unknownOption(unknown, command, commands);
  if (flags.has("help")) {
    const topic = command === undefined ? [] : [command.name];
    return {
      command: find("help"),
      given: new Arguments(values, flags, topic),
    };
  }
  const called = command ??
    (flags.has("version") ? find("version") : undefined);
  if (called === undefined) {
    throw new ConfigError(
      "Cannot run crdb without a command: none is given; see crdb help",
    );
  }
  checkOptions(called, values, flags);
  checkParameters(called, parameters);
  return { command: called, given: new Arguments(values, flags, parameters) };
}

/** Says whether the output is to be JSON, also where the rest of the arguments can't be read. */
export function isJsonWanted(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? undefined : end)
    .some((arg) => arg === "--json" || arg.startsWith("--json="));
}

interface Parts {
  readonly values: Map<string, string>;
  readonly flags: Set<string>;
  readonly words: readonly string[];
  readonly unknown?: string;
}

function split(args: readonly string[], commands: readonly Command[]): Parts {
  const options = [
    ...COMMON_OPTIONS,
    VERSION_OPTION,
    ...commands.flatMap(({ options = [] }) => options),
  ];
  const withValue = namesOf(options.filter(({ value }) => value !== undefined));
  const boolean = namesOf(options.filter(({ value }) => value === undefined));
  let unknown: string | undefined;
  const parsed: Record<string, unknown> = parseArgs(joined(args, withValue), {
    // Without "_" a version among the parameters would become a number.
    string: [...withValue, "_"],
    collect: withValue,
    boolean,
    alias: { help: "h" },
    unknown: (arg, key) => {
      if (key === undefined) return true;
      unknown ??= arg.replace(/=.*$/s, "");
      return false;
    },
  });
  const values = new Map<string, string>();
  for (const name of withValue) {
    const all = parsed[name] as string[];
    if (all.length > 1) {
      throw new ConfigError(
        `Cannot use --${name} twice: it has one value; give it once`,
      );
    }
    if (all.length === 1) values.set(name, all[0]);
  }
  const end = args.indexOf("--");
  const valued = args.slice(0, end < 0 ? undefined : end)
    .map((arg) => /^--([^=]+)=/.exec(arg)?.[1])
    .find((name) => name !== undefined && boolean.includes(name));
  if (valued !== undefined) {
    throw new ConfigError(
      `Cannot use --${valued} with a value: it takes none; give --${valued} alone`,
    );
  }
  const flags = new Set(boolean.filter((name) => parsed[name] === true));
  return { values, flags, words: parsed._ as string[], unknown };
}

/**
 * Joins options with values that begin with a dash and hold a blank, such as SQL that begins with a
 * comment: no option looks like that.
 */
function joined(
  args: readonly string[],
  withValue: readonly string[],
): string[] {
  const end = args.indexOf("--");
  const parts: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const [arg, value = ""] = [args[index], args[index + 1]];
    const isOption = (end < 0 || index < end) && arg.startsWith("--") &&
      withValue.includes(arg.slice(2));
    if (isOption && /^-.*\s/s.test(value)) {
      parts.push(`${arg}=${value}`);
      index++;
    } else parts.push(arg);
  }
  return parts;
}

function checkOptions(
  command: Command,
  values: ReadonlyMap<string, string>,
  flags: ReadonlySet<string>,
): void {
  const own = optionsOf(command);
  const given = [...values.keys(), ...flags];
  const stranger = given.find((name) =>
    !own.some((option) => option.name === name) && name !== command.name
  );
  if (stranger !== undefined) {
    throw unknownOption(`--${stranger}`, command, [command]);
  }
  for (const [name, value] of values) {
    if (value !== "") continue;
    const kind = own.find((option) => option.name === name)?.value;
    throw new ConfigError(
      `Cannot use --${name}: its value is missing; give --${name}=${kind}`,
    );
  }
  const { conflicts = [] } = command;
  const [one, other] = conflicts.filter((name) => given.includes(name));
  if (other !== undefined) {
    throw new ConfigError(
      `Cannot use --${one} and --${other} together: they contradict each other; give one of them`,
    );
  }
}

function checkParameters(
  command: Command,
  given: readonly string[],
): void {
  const { name, parameters = [], isOptional = false } = command;
  const missing = isOptional ? undefined : parameters[given.length];
  if (missing !== undefined) {
    throw new ConfigError(
      `Cannot run ${name}: ${
        missing.replace("…", "")
      } is missing; run crdb ${name} ${parameters.join(" ")}`,
    );
  }
  const takesAll = parameters.at(-1)?.endsWith("…");
  if (given.length > parameters.length && !takesAll) {
    throw new ConfigError(
      `Cannot run ${name} with "${
        given[parameters.length]
      }": it takes no such parameter; see crdb help ${name}`,
    );
  }
}

function unknownOption(
  option: string,
  command: Command | undefined,
  commands: readonly Command[],
): ConfigError {
  const known = command === undefined
    ? [...commands.flatMap(optionsOf), VERSION_OPTION]
    : optionsOf(command);
  const meant = closest(option.replace(/^-+/, ""), namesOf(known));
  const who = command === undefined ? "crdb" : command.name;
  return new ConfigError(
    `Cannot use the option ${option}: ${who} has no such option; ${
      meant === undefined
        ? `see crdb help${command === undefined ? "" : ` ${command.name}`}`
        : `did you mean --${meant}?`
    }`,
  );
}

function optionsOf({ options = [] }: Command): readonly Option[] {
  return [...options, ...COMMON_OPTIONS];
}

function namesOf(options: readonly Option[]): string[] {
  return [...new Set(options.map(({ name }) => name))];
}
