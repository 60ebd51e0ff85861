/**
 * The errors that callers catch.
 *
 * @module
 */

import type { WireFields } from "./driver/driver.ts";

/** What an error means to a program, whatever its SQLSTATE. */
export type ErrorKind =
  | "unique-violation"
  | "foreign-key-violation"
  | "not-null-violation"
  | "check-violation"
  | "retryable"
  | "ambiguous"
  | "connection"
  | "timeout"
  | "permission"
  | "undefined"
  | "syntax"
  | "other";

const KINDS: Readonly<Record<string, ErrorKind>> = {
  "23505": "unique-violation",
  "23503": "foreign-key-violation",
  "23502": "not-null-violation",
  "23514": "check-violation",
  "40001": "retryable",
  "40P01": "retryable",
  "CR000": "retryable",
  "40003": "ambiguous",
  "08007": "ambiguous",
  "57P01": "connection",
  "57P02": "connection",
  "57P03": "connection",
  "57P05": "connection",
  "57014": "timeout",
  "55P03": "timeout",
  "25P03": "timeout",
  "25P04": "timeout",
  "42501": "permission",
  "28000": "permission",
  "28P01": "permission",
  "42P01": "undefined",
  "42703": "undefined",
  "42704": "undefined",
  "42883": "undefined",
  "3D000": "undefined",
  "3F000": "undefined",
  "26000": "undefined",
  "42601": "syntax",
};

/**
 * Says what an SQLSTATE means to a program.
 *
 * @param code The SQLSTATE, five characters.
 * @param severity What the server called it. 08P01 as a mere `ERROR`, such as CockroachDB's for an
 * argument that it can't read, leaves the connection as it is.
 * @returns The kind; `"other"` where none fits.
 */
export function errorKind(code: string, severity = "FATAL"): ErrorKind {
  if (KINDS[code] !== undefined) return KINDS[code];
  const isMere = code === "08P01" && severity === "ERROR";
  return code.startsWith("08") && !isMere ? "connection" : "other";
}

/** What belongs to a {@linkcode DatabaseError} beside the wire's fields. */
export interface DatabaseErrorOptions {
  /** The statement that failed. Only its beginning is kept, and never its arguments. */
  statement?: string;
  /** Notices that came before the error. CockroachDB names jobs that go on running here. */
  notices?: readonly WireFields[];
  /** What caused the error. */
  cause?: unknown;
}

const STATEMENT_LENGTH = 200;

/**
 * An answer of the server that is an error, or the loss of the connection to it (an SQLSTATE of
 * class 08).
 */
export class DatabaseError extends Error implements WireFields {
  /** The class's name. */
  override name = "DatabaseError";
  /** What the error means to a program. */
  readonly kind: ErrorKind;
  /** The SQLSTATE. */
  readonly code: string;
  /** `ERROR`, `FATAL` or `PANIC`. */
  readonly severity: string;
  /** A second sentence with particulars. */
  readonly detail?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The 1-based position in the statement, in characters. */
  readonly position?: number;
  /** The schema that the error is about. */
  readonly schema?: string;
  /** The table that the error is about. */
  readonly table?: string;
  /** The column that the error is about. */
  readonly column?: string;
  /** The data type that the error is about. */
  readonly dataType?: string;
  /** The constraint that the error is about. */
  readonly constraint?: string;
  /** Where in the server the error arose. */
  readonly where?: string;
  /** A statement that the server made itself, such as a function's, where the error is in that. */
  readonly internalQuery?: string;
  /** The 1-based position in that statement, in characters. */
  readonly internalPosition?: number;
  /** The file of the server's source that reported the error. */
  readonly file?: string;
  /** The line of that file. */
  readonly line?: number;
  /** The routine of the server's source. */
  readonly routine?: string;
  /** The beginning of the statement, 200 characters at most. */
  readonly statement?: string;
  /** Notices that came before the error. */
  readonly notices: readonly WireFields[];

  /**
   * Makes an error of what the server said.
   *
   * @param fields The error's fields.
   * @param options The statement, the notices before the error, and its cause.
   */
  constructor(
    fields: Partial<WireFields> & { code: string; message: string },
    options: DatabaseErrorOptions = {},
  ) {
    const { statement, notices = [], cause } = options;
    super(fields.message, cause === undefined ? undefined : { cause });
    this.kind = errorKind(fields.code, fields.severity);
    this.code = fields.code;
    this.severity = fields.severity ?? "ERROR";
    this.detail = fields.detail;
    this.hint = fields.hint;
    this.position = fields.position;
    this.schema = fields.schema;
    this.table = fields.table;
    this.column = fields.column;
    this.dataType = fields.dataType;
    this.constraint = fields.constraint;
    this.where = fields.where;
    this.internalQuery = fields.internalQuery;
    this.internalPosition = fields.internalPosition;
    this.file = fields.file;
    this.line = fields.line;
    this.routine = fields.routine;
    this.statement =
      statement === undefined || statement.length <= STATEMENT_LENGTH
        ? statement
        : statement.slice(0, STATEMENT_LENGTH - 1) + "…";
    this.notices = notices;
  }
}

/** A transaction's COMMIT was sent and whether it took effect is unknown. */
export class AmbiguousCommitError extends Error {
  /** The class's name. */
  override name = "AmbiguousCommitError";
  /** What the error means to a program: always `"ambiguous"`. */
  readonly kind: ErrorKind = "ambiguous";
  /** The SQLSTATE that CockroachDB gives such an outcome. */
  readonly code: string = "40003";
}

/** A connection option, address or environment variable that can't be used. */
export class ConfigError extends Error {
  /** The class's name. */
  override name = "ConfigError";
}

/** The lease of a migration table wasn't obtained in time. */
export class LockTimeoutError extends Error {
  /** The class's name. */
  override name = "LockTimeoutError";
}

/** SQL text, or a name in it, that can't be read. */
export class SqlTextError extends Error {
  /** The class's name. */
  override name = "SqlTextError";
  /** What is wrong and what to do about it, without the beginning of the message. */
  readonly problem: string;
  /** Where in the text, in UTF-16 code units from 0. */
  readonly offset: number;

  /**
   * Makes an error about a place in SQL text.
   *
   * @param problem What is wrong, and the remedy.
   * @param offset Where in the text, in UTF-16 code units from 0.
   */
  constructor(problem: string, offset: number) {
    super(`Cannot read the SQL at offset ${offset}: ${problem}`);
    this.problem = problem;
    this.offset = offset;
  }
}

/** What belongs to a {@linkcode MigrationError}. */
export interface MigrationErrorOptions {
  /** The migration's version. */
  version?: string;
  /** The file, as a path or a name. */
  file?: string;
  /** The 1-based line in the file. */
  line?: number;
  /** The 1-based column in the line. */
  column?: number;
  /** What caused the error. */
  cause?: unknown;
}

/** A migration that can't be planned, applied or rolled back. */
export class MigrationError extends Error {
  /** The class's name. */
  override name = "MigrationError";
  /** The migration's version. */
  readonly version?: string;
  /** The file, as a path or a name. */
  readonly file?: string;
  /** The 1-based line in the file. */
  readonly line?: number;
  /** The 1-based column in the line. */
  readonly column?: number;

  /**
   * Makes an error about a migration.
   *
   * @param message The sentence to show: what was tried, what happened, what to do.
   * @param options Where in which file, and the cause.
   */
  constructor(message: string, options: MigrationErrorOptions = {}) {
    const { cause, version, file, line, column } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.version = version;
    this.file = file;
    this.line = line;
    this.column = column;
  }
}

/** A run lost its lease to another runner, which goes on from where this one was. */
export class LeaseLostError extends MigrationError {
  /** The class's name. */
  override name = "LeaseLostError";
}
