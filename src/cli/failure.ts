/**
 * An error to what the command says of it: the exit code, a text for people, and an object for
 * programs. Pure; no password gets through.
 *
 * @module
 */

import { DATABASE_REMEDY } from "../driver/connect_failure.ts";
import { redact } from "../driver/shown.ts";
import {
  AmbiguousCommitError,
  ConfigError,
  DatabaseError,
  LeaseLostError,
  LockTimeoutError,
  MigrationError,
} from "../errors.ts";
import type { GoOn } from "./command.ts";
import { printable } from "./style.ts";

/** What the command says of an error. */
export interface Failure {
  /** The exit code. */
  readonly code: number;
  /** The text for people. */
  readonly message: string;
  /** The object for programs. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** Options of {@linkcode describeFailure}. */
export interface FailureOptions {
  /** Whether the text tells where in the program an unexpected error arose. */
  readonly isVerbose?: boolean;
  /** The options that name the database and the files, for commands that the text tells to run. */
  readonly addressed?: string;
  /** How to go on, for a text that doesn't know which command it was. */
  readonly goOn?: GoOn;
}

/** Describes an error. */
export function describeFailure(
  error: unknown,
  options: FailureOptions = {},
): Failure {
  const { isVerbose, addressed = "", goOn } = options;
  const shown = (text: string) => printable(redact(text));
  const { code, kind } = classify(error);
  const message = advised(shown(messageOf(error)), error, goOn)
    .replace(
      /\bcrdb (?:repair \d+ --(?:not-)?done|status)\b/g,
      `$&${addressed}`,
    );
  const { version, file, line, column } = error instanceof MigrationError
    ? error
    : {} as Partial<MigrationError>;
  const wire = [error, causeOf(error)].find((one) =>
    one instanceof DatabaseError
  );
  const stack = isVerbose && kind === "unexpected" &&
      error instanceof Error && error.stack
    ? `\n${shown(error.stack)}`
    : "";
  return {
    code,
    message: message + stack,
    json: {
      message,
      code: wire?.code,
      kind: wire?.kind ?? kind,
      version,
      file,
      line,
      column,
    },
  };
}

/** Says why the result of a command couldn't be written: the command has come to its end by then. */
export function describeUnwritten(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `Cannot write the result: ${
    printable(redact(reason))
  }; make standard output writable, and run status to see what the command has done`;
}

/** The library's words for running again, in the last line: a file's text may stand above. */
const AGAIN = /\b(run) (?:migrate|rollback|the command)\b(?: again)?(?=.*$)/gi;

/** Names the command that goes on: a count, run again, would count anew. */
function advised(message: string, error: unknown, goOn?: GoOn): string {
  if (goOn === undefined) return message;
  const { run, isOther } = goOn;
  const advised = message.replace(AGAIN, `$1 ${run}`);
  const isAdvised = advised !== message || error instanceof LeaseLostError;
  return isAdvised || !isOther ? advised : `${message}\nRun ${run} to go on`;
}

interface Class {
  readonly code: number;
  readonly kind?: string;
}

function classify(error: unknown): Class {
  if (isNotCapable(error)) return { code: 5, kind: "permission" };
  if (error instanceof LockTimeoutError) return { code: 4, kind: "lock" };
  if (
    (error instanceof MigrationError || error instanceof ConfigError) &&
    isMissing(causeOf(error))
  ) return { code: 5, kind: "missing" };
  if (error instanceof ConfigError) return { code: 2, kind: "usage" };
  if (isAbort(error)) return { code: 130, kind: "interrupted" };
  if (error instanceof MigrationError) return { code: 1, kind: "migration" };
  if (error instanceof AmbiguousCommitError) {
    return { code: 1, kind: error.kind };
  }
  return error instanceof DatabaseError
    ? { code: 1 }
    : { code: 1, kind: "unexpected" };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `Cannot go on: ${error}`;
  const { name, message } = error;
  if (isNotCapable(error)) return withFlag(message);
  if (error instanceof DatabaseError) {
    // 08001 and 08006 are ours: no server has said so.
    const code = error.code.startsWith("08") ? "" : ` (SQLSTATE ${error.code})`;
    return [
      message + remedyFor(error) + code,
      ...(error.detail ? [`Detail: ${error.detail}`] : []),
      ...(error.hint ? [`Hint: ${error.hint}`] : []),
    ].join("\n");
  }
  return classify(error).kind === "unexpected"
    ? `Cannot go on: ${name}: ${message}; run again with --verbose to see where, and report it`
    : message;
}

/** CockroachDB lets a session into a database that isn't there; its first statement then fails. */
function remedyFor({ code, message }: DatabaseError): string {
  return code === "3D000" && !message.startsWith("Cannot connect")
    ? `; ${DATABASE_REMEDY}`
    : "";
}

/** Turns the runtime's words about a permission into the flag that grants it. */
function withFlag(message: string): string {
  const [, name, target] =
    /^Requires (\w+) access to "([^"]*)"/.exec(message) ?? [];
  return name === undefined
    ? message
    : `Cannot use ${target}: no permission; run again with --allow-${name}=${target}`;
}

const MISSING = ["NotFound", "NotADirectory", "PermissionDenied", "NotCapable"];
const MISSING_CODES = ["ENOENT", "ENOTDIR", "EACCES"];

function isMissing(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { code } = cause as { code?: unknown };
  return MISSING.includes(cause.name) ||
    MISSING_CODES.some((one) => one === code);
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function isNotCapable(error: unknown): boolean {
  return error instanceof Error && error.name === "NotCapable";
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
