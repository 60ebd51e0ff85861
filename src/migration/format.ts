/**
 * The text of a new migration is made here, of SQL that stands indented in somebody's program.
 *
 * @module
 */

import { MigrationError, SqlTextError } from "../errors.ts";
import { position, tokenize } from "../sql.ts";
import { readSection } from "./section.ts";
import { NO_STEERING, steeringVerb } from "./steering.ts";

/** What two strings have in common at their beginnings. */
function commonStart(a: string, b: string): string {
  let end = 0;
  while (end < a.length && a[end] === b[end]) end++;
  return a.slice(0, end);
}

/** Removes the blank lines around SQL, and the indentation that its lines share. */
function dedent(sql: string): string {
  const text = sql.replace(/^(?:[ \t]*\r?\n)+/, "").trimEnd();
  // Lines inside of strings keep their indentation: it is data.
  const data = tokenize(text).filter(({ kind }) =>
    kind === "string" || kind === "identifier"
  );
  const isData = (offset: number) =>
    data.some(({ start, end }) => start < offset && offset < end);
  const indents = [...text.matchAll(/^[ \t]*(?=\S)/gm)]
    .filter(({ index }) => !isData(index))
    .map(([blanks]) => blanks);
  const shared = indents.length === 0 ? "" : indents.reduce(commonStart);
  return text.replace(
    /^[ \t]+/gm,
    (blanks, offset: number) =>
      isData(offset) ? blanks : blanks.slice(shared.length),
  );
}

/** The forward section of a file that is to be filled in. */
const FORWARD_TEMPLATE =
  `-- Write the statements below this line, each with a semicolon at its end.
-- While there is none, crdb migrate stops at this file and applies nothing.`;

/** Its undo section. */
const UNDO_TEMPLATE =
  `-- Write the statements that take it back below this line. Where nothing can,
-- delete the rest of the file, from the marker on: then rollback refuses.`;

/** Makes sure that a reader would take a section's SQL, and removes its indentation. */
function section(description: string, name: string, sql: string): string {
  const fail = (problem: string, offset: number, cause?: unknown) => {
    const { line, column } = position(sql, offset);
    return new MigrationError(
      `Cannot create the migration "${description}": in line ${line}, column ${column} ` +
        `of the ${name} SQL, ${problem}`,
      { line, column, cause },
    );
  };
  try {
    const { statements, marker } = readSection(sql);
    if (marker !== undefined) {
      const remedy = 'a line is the marker "-- @UNDO"; give the undo SQL apart';
      throw fail(remedy, marker.start);
    }
    if (statements.length === 0 && name === "forward") {
      throw new MigrationError(
        `Cannot create the migration "${description}": it has no forward statement; write one`,
      );
    }
    for (const { text, offset } of statements) {
      const verb = steeringVerb(text);
      if (verb === undefined) continue;
      throw fail(`${verb} has no place: ${NO_STEERING}`, offset);
    }
    return dedent(sql);
  } catch (error) {
    if (!(error instanceof SqlTextError)) throw error;
    throw fail(error.problem, error.offset, error);
  }
}

/**
 * Makes the text of a migration.
 *
 * @example
 * ```ts
 * import { formatMigration } from "./format.ts";
 *
 * formatMigration("add age", "ALTER TABLE users ADD COLUMN age INT");
 * // "-- Migration: add age\n\nALTER TABLE users ADD COLUMN age INT\n"
 * ```
 *
 * @param description What the migration does; it becomes a comment.
 * @param forwardSql The forward statements. Left out, the file is one to be filled in.
 * @param undoSql The undo statements; blank or left out makes a migration that can't be rolled back,
 * unless the file is to be filled in.
 * @returns The text. The statements read from it are the ones given, without the indentation that
 * their lines share outside of strings.
 * @throws {MigrationError} SQL that holds no forward statement, one that steers transactions, or a
 * marker line of its own, or that can't be split into statements.
 */
export function formatMigration(
  description: string,
  forwardSql?: string,
  undoSql = forwardSql === undefined ? UNDO_TEMPLATE : "",
): string {
  const title = description.replace(/\s+/g, " ").trim();
  const parts = [
    `-- Migration: ${title}`,
    forwardSql === undefined
      ? FORWARD_TEMPLATE
      : section(title, "forward", forwardSql),
  ];
  if (undoSql.trim() !== "") {
    parts.push("-- @UNDO", section(title, "undo", undoSql));
  }
  return parts.join("\n\n") + "\n";
}
