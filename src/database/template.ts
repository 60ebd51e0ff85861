/**
 * Tagged templates to statements: values become arguments, identifiers become text.
 *
 * @module
 */

import { quoteName } from "../sql.ts";
import type { Statement } from "./crud.ts";

/** A name that is spliced into a tagged template, quoted. */
export class Identifier {
  readonly #quoted: string;

  /** Is made by {@linkcode identifier}. */
  constructor(name: string) {
    this.#quoted = quoteName(name);
  }

  /** The name, quoted. */
  toString(): string {
    return this.#quoted;
  }
}

/**
 * Marks a name, so that a tagged template takes it as the name of a table or column.
 *
 * @example
 * ```ts ignore
 * await db.query`SELECT * FROM ${identifier("app.users")} WHERE name = ${name}`;
 * // SELECT * FROM "app"."users" WHERE name = $1
 * ```
 *
 * @param name The name; `schema.table` is split, and every part is quoted.
 * @throws {SqlTextError} A name that is empty, or has an empty part.
 */
export function identifier(name: string): Identifier {
  return new Identifier(name);
}

/**
 * The error of a call without a statement, for callers whom no compiler has checked.
 *
 * @param what What was given in its place.
 */
export function noStatementError(what: string): TypeError {
  return new TypeError(
    `Cannot run the statement: it is ${what}; give its SQL`,
  );
}

/**
 * Writes a tagged template as a statement.
 *
 * @throws {TypeError} Text with an escape that JavaScript doesn't know, such as `\x`.
 */
export function templateStatement(
  strings: TemplateStringsArray,
  values: readonly unknown[],
): Statement {
  const args: unknown[] = [];
  if (!Array.isArray(strings)) {
    throw noStatementError("neither a text nor a template");
  }
  if (strings.includes(undefined!)) {
    throw new TypeError(
      "Cannot read the template: it holds an escape that JavaScript doesn't know; write each backslash twice",
    );
  }
  let text = strings[0];
  values.forEach((value, index) => {
    if (value instanceof Identifier) text += value;
    else text += `$${args.push(value)}`;
    text += strings[index + 1];
  });
  return { text, args };
}
