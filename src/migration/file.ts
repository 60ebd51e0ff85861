/**
 * Migrations as files: a name with a version and a description, and a text of a forward and an
 * undo section. They are read here, without a file system; other rooms make the names and texts.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { MigrationError, SqlTextError } from "../errors.ts";
import { position } from "../sql.ts";
import { type MigrationStatement, readSection } from "./section.ts";
import { compareVersions, isSqlFile, parseFileName } from "./version.ts";

export type { Backfill, Directives } from "./directive.ts";
export { formatMigration } from "./format.ts";
export { type MigrationStatement, statementHash } from "./section.ts";
export {
  compareVersions,
  isSqlFile,
  migrationFileName,
  nextVersion,
} from "./version.ts";

/** A migration, as a source gives it. */
export interface MigrationEntry {
  /** The file's name. */
  readonly name: string;
  /** The file's text. */
  readonly text: string;
  /** Where the file is, for messages. Default: its name. */
  readonly path?: string;
  /** Why the text, which is empty then, can't be had: this migration alone counts as unreadable. */
  readonly error?: MigrationError;
}

/** A migration that was read. */
export interface MigrationFile {
  /** The digits at the beginning of the name, as written. They are ordered as numbers. */
  readonly version: string;
  /** The rest of the name, with spaces. */
  readonly description: string;
  /** Where the file is, for messages. */
  readonly path: string;
  /** The file's name. */
  readonly name: string;
  /** The file's text, without a byte order mark. */
  readonly text: string;
  /** The forward statements; one at least. */
  readonly statements: readonly MigrationStatement[];
  /**
   * The undo statements: `undefined` without a marker (the migration can't be rolled back), empty
   * where there is nothing below it (a rollback has nothing to do).
   */
  readonly undoStatements: readonly MigrationStatement[] | undefined;
  /** SHA-256 (hex) of the text, in which line ends and trailing blanks don't count. */
  readonly checksum: string;
}

/**
 * Computes the checksum of a migration's text.
 *
 * @param text The text.
 * @returns SHA-256 (hex) of the text without a byte order mark, carriage returns before line feeds,
 * blanks at the ends of lines, and blank lines at its end.
 */
export function checksum(text: string): string {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const body = text.slice(start).trimEnd();
  const normalised = /[^\S\n]\n/.test(body)
    ? body.split("\n").map((line) => line.trimEnd()).join("\n")
    : body;
  return createHash("sha256").update(normalised).digest("hex");
}

function readText(
  text: string,
): Pick<MigrationFile, "statements" | "undoStatements"> {
  const { statements, marker } = readSection(text);
  if (statements.length === 0) {
    throw new SqlTextError(
      "it has no forward statement; write one, or delete the file",
      0,
    );
  }
  if (marker === undefined) return { statements, undoStatements: undefined };

  const undo = readSection(text, marker.end);
  if (undo.marker !== undefined) {
    const { line } = position(text, marker.start);
    throw new SqlTextError(
      `the marker "-- @UNDO" is here a second time after line ${line}; keep one`,
      undo.marker.start,
    );
  }
  return { statements, undoStatements: undo.statements };
}

/**
 * Reads a migration.
 *
 * @example
 * ```ts
 * import { parseMigration } from "./file.ts";
 *
 * const { version, description } = parseMigration({
 *   name: "20230101120000_create_users_table.sql",
 *   text: "CREATE TABLE users (id UUID PRIMARY KEY);\n-- @UNDO\nDROP TABLE users;\n",
 * }); // "20230101120000", "create users table"
 * ```
 *
 * @param entry The file's name and text.
 * @returns The migration.
 * @throws {MigrationError} A name of another form; the entry's error; no forward statement; two
 * markers; a directive that is unknown, misplaced or can't be read; SQL that can't be split into
 * statements; a NUL character in one.
 */
export function parseMigration(entry: MigrationEntry): MigrationFile {
  const { name, path = name, error } = entry;
  const { version, description } = parseFileName(name);
  if (error !== undefined) {
    const { message, cause } = error;
    throw new MigrationError(message, { ...error, version, file: path, cause });
  }
  const text = entry.text.charCodeAt(0) === 0xfeff
    ? entry.text.slice(1)
    : entry.text;
  try {
    return {
      version,
      description,
      path,
      name,
      text,
      ...readText(text),
      checksum: checksum(text),
    };
  } catch (error) {
    if (!(error instanceof SqlTextError)) throw error;
    const { line, column } = position(text, error.offset);
    throw new MigrationError(
      `Cannot read the migration ${path}:${line}:${column}: ${error.problem}`,
      { version, file: path, line, column, cause: error },
    );
  }
}

/** The migrations of a source, as far as they can be read. */
export interface MigrationFiles {
  /** The migrations that can be read, by version. */
  readonly files: readonly MigrationFile[];
  /** Why the others can't: bad names and texts, and versions that two files have. */
  readonly unreadable: readonly MigrationError[];
}

/**
 * Reads what can be read of a source.
 *
 * @param entries The files' names and texts. Those whose name begins with a dot or does not end in
 * `.sql` are passed over.
 * @returns The migrations, and the errors of those that can't be read.
 */
export function readMigrations(
  entries: readonly MigrationEntry[],
): MigrationFiles {
  const read: MigrationFile[] = [];
  const unreadable: MigrationError[] = [];
  for (const entry of entries) {
    if (!isSqlFile(entry.name)) continue;
    try {
      read.push(parseMigration(entry));
    } catch (error) {
      if (!(error instanceof MigrationError)) throw error;
      unreadable.push(error);
    }
  }
  read.sort((a, b) => compareVersions(a.version, b.version));
  const isSame = (a: MigrationFile, b?: MigrationFile) =>
    b !== undefined && compareVersions(a.version, b.version) === 0;
  const files = read.filter((file, index) => {
    const previous = read[index - 1];
    if (isSame(file, previous)) unreadable.push(duplicate(previous, file));
    return !isSame(file, previous) && !isSame(file, read[index + 1]);
  });
  return { files, unreadable };
}

function duplicate(one: MigrationFile, other: MigrationFile): MigrationError {
  return new MigrationError(
    `Cannot order the migrations: "${one.path}" and "${other.path}" have the same version; ` +
      "give one of them another",
    { version: other.version, file: other.path },
  );
}

/**
 * Reads the migrations of a source, in order.
 *
 * @param entries As of {@linkcode readMigrations}.
 * @returns The migrations, by version.
 * @throws {MigrationError} What {@linkcode parseMigration} throws; two files of one version.
 */
export function parseMigrations(
  entries: readonly MigrationEntry[],
): MigrationFile[] {
  const { files, unreadable: [error] } = readMigrations(entries);
  if (error !== undefined) throw error;
  return [...files];
}
