/**
 * A password in the form that SCRAM computes with, as PostgreSQL has it: SASLprep, or the password
 * itself where SASLprep refuses it. A pure function.
 *
 * https://www.rfc-editor.org/rfc/rfc4013
 *
 * @module
 */

import {
  LEFT_TO_RIGHT,
  NOTHING,
  REFUSED,
  RIGHT_TO_LEFT,
  SPACES,
} from "./stringprep.ts";

const SPACE = 0x20;

/**
 * Brings a password into the form that the server computed its verifier with.
 *
 * Like PostgreSQL, it leaves ASCII alone, whatever the characters, and looks for what is refused
 * before it normalizes, not after:
 * https://github.com/postgres/postgres/blob/master/src/common/saslprep.c
 *
 * @param password The password as it was given.
 * @returns The form; the password itself where there is none.
 *
 * @example
 * ```ts
 * import { saslPrep } from "./saslprep.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(saslPrep("\u2168\u00a0a\u00ad"), "IX a");
 * ```
 */
export function saslPrep(password: string): string {
  const given = Array.from(password, (character) => character.codePointAt(0)!);
  if (given.every((code) => code < 0x80)) return password;
  const mapped = given
    .map((code) => SPACES.has(code) ? SPACE : code)
    .filter((code) => !NOTHING.has(code));
  if (mapped.length === 0 || mapped.some(REFUSED.has)) return password;
  if (!isOfOneDirection(mapped)) return password;
  return String.fromCodePoint(...mapped).normalize("NFKC");
}

function isOfOneDirection(codes: readonly number[]): boolean {
  if (!codes.some(RIGHT_TO_LEFT.has)) return true;
  return !codes.some(LEFT_TO_RIGHT.has) &&
    [codes[0], codes.at(-1)!].every(RIGHT_TO_LEFT.has);
}
