/**
 * The options and parameters that were given, read as what they have to be: versions, numbers,
 * durations, one of several words.
 *
 * @module
 */

import { closest } from "../closest.ts";
import { ConfigError } from "../errors.ts";
import { parseDuration } from "../migration/directive.ts";

/** The options and parameters of a call. */
export class Arguments {
  /** The parameters. */
  readonly parameters: readonly string[];
  readonly #values: ReadonlyMap<string, string>;
  readonly #flags: ReadonlySet<string>;

  /** Makes it of options with values, flags, and parameters. */
  constructor(
    values: ReadonlyMap<string, string>,
    flags: ReadonlySet<string>,
    parameters: readonly string[],
  ) {
    this.#values = values;
    this.#flags = flags;
    this.parameters = parameters;
  }

  /** Whether a flag is given. */
  has(name: string): boolean {
    return this.#flags.has(name);
  }

  /** The value of an option; `undefined` where it isn't given. */
  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /**
   * The options that name the database and the files, as they were given, for another command; the
   * address itself may hold a password, and is left out.
   */
  get addressed(): string {
    const options = ["dir", "table", "driver"]
      .filter((name) => this.#values.has(name))
      .map((name) => ` --${name} ${quoted(this.text(name)!)}`);
    const url = this.#values.has("url") ? [" --url URL"] : [];
    return [...options, ...url].join("");
  }

  /** The value as one of several words. */
  oneOf(name: string, words: readonly string[]): string | undefined {
    const value = this.text(name);
    if (value === undefined || words.includes(value)) return value;
    const meant = closest(value, words);
    throw new ConfigError(
      `Cannot use --${name} ${value}: it is none of ${words.join(", ")}; ${
        meant === undefined ? "give one of them" : `did you mean ${meant}?`
      }`,
    );
  }

  /** The value as a number of things, from 1. */
  count(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const count = /^\d+$/.test(value) ? Number(value) : 0;
    if (count >= 1 && Number.isSafeInteger(count)) return count;
    throw new ConfigError(
      `Cannot use --${name} ${value}: it is not a number of migrations; give a whole number from 1`,
    );
  }

  /** The value as a duration, in milliseconds. */
  duration(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const duration = parseDuration(value);
    if (duration !== undefined) return duration;
    throw new ConfigError(
      `Cannot use --${name} ${value}: it is not a time; give one such as 500ms, 30s, 10m or 1h`,
    );
  }

  /** The value as a migration's version. */
  version(name: string): string | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : checked(value, `--${name} `);
  }

  /** The first parameter as a migration's version. */
  versionParameter(): string {
    return checked(this.parameters[0], "");
  }
}

/** A value as a shell reads it. */
function quoted(value: string): string {
  return /^[\w./:=@%+-]+$/.test(value)
    ? value
    : `'${value.replaceAll("'", "'\\''")}'`;
}

function checked(version: string, where: string): string {
  if (/^\d+$/.test(version)) return version;
  throw new ConfigError(
    `Cannot use ${where}${version}: it is not a version; give the digits that the file's name begins with`,
  );
}
