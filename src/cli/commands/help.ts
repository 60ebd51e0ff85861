/**
 * `crdb help`: the commands, or the options of one.
 *
 * @module
 */

import { closest } from "../../closest.ts";
import { ConfigError } from "../../errors.ts";
import type { Command, Option } from "../command.ts";
import { COMMON_OPTIONS } from "../options.ts";

/** Makes the command that shows the help of others. */
export function helpFor(others: readonly Command[]): Command {
  const help: Command = {
    name: "help",
    summary: "show the commands, or the options of one",
    parameters: ["COMMAND"],
    isOptional: true,
    run({ args }) {
      const commands = [...others, help];
      const [name] = args.parameters;
      const text = name === undefined
        ? renderCommands(commands)
        : renderCommand(find(name, commands));
      return { text, data: { text } };
    },
  };
  return help;
}

function find(name: string, commands: readonly Command[]): Command {
  const command = commands.find((one) => one.name === name);
  if (command !== undefined) return command;
  const meant = closest(name, commands.map(({ name }) => name));
  throw new ConfigError(
    `Cannot show the help of "${name}": there is no such command; ${
      meant === undefined ? "see crdb help" : `did you mean ${meant}?`
    }`,
  );
}

function renderCommands(commands: readonly Command[]): string {
  return [
    "Migrations for CockroachDB and PostgreSQL",
    "",
    "Usage: crdb COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...columns(commands.map((command) => [synopsis(command), command.summary])),
    "",
    "Options of all commands:",
    ...columns(COMMON_OPTIONS.map(optionRow)),
    "",
    "Exit codes: 0 done, 1 a migration or the database failed, 2 wrong usage,",
    "3 pending migrations or problems, 4 the lease wasn't obtained in time,",
    "5 a permission or a file is missing, 130 interrupted",
  ].join("\n");
}

function renderCommand(command: Command): string {
  const { summary, options = [] } = command;
  const own = options.length === 0
    ? []
    : ["Options:", ...columns(options.map(optionRow)), ""];
  return [
    `${summary[0].toUpperCase()}${summary.slice(1)}`,
    "",
    `Usage: crdb ${synopsis(command)} [OPTIONS]`,
    "",
    ...own,
    "Options of all commands:",
    ...columns(COMMON_OPTIONS.map(optionRow)),
  ].join("\n");
}

function synopsis({ name, parameters = [], isOptional }: Command): string {
  return [name, ...parameters.map((one) => isOptional ? `[${one}]` : one)]
    .join(" ");
}

function optionRow({ name, value, summary }: Option): [string, string] {
  const left = value === undefined ? `--${name}` : `--${name} ${value}`;
  return [name === "help" ? `-h, ${left}` : left, summary];
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
