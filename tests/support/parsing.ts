/**
 * One migration's text, as it is read, and why it can't be.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { MigrationError } from "../../src/errors.ts";
import {
  type MigrationFile,
  parseMigration,
} from "../../src/migration/file.ts";

/** Reads the text of a migration. */
export function parse(text: string): MigrationFile {
  return parseMigration({ name: "1_a.sql", path: "migrations/1_a.sql", text });
}

/**
 * Registers a test for a text that is refused.
 *
 * @param refusal Where, as line and column, and why.
 */
export function refusalTest(
  text: string,
  { place, problem }: { place: string; problem: string },
): void {
  Deno.test(`parseMigration() refuses ${JSON.stringify(text)}`, () => {
    const { message, line, column, file, version } = assertThrows(
      () => parse(text),
      MigrationError,
    );
    assertEquals(
      message,
      `Cannot read the migration migrations/1_a.sql:${place}: ${problem}`,
    );
    assertEquals(`${line}:${column}`, place);
    assertEquals([file, version], ["migrations/1_a.sql", "1"]);
  });
}
