/**
 * A section of a migration's text, forward or undo: it ends at the marker or at the end of the
 * text. Its statements are found here, and given their places, hashes and directives.
 *
 * A `@TIMEOUT` at the top of a section counts for all of its statements; any other directive
 * counts for the statement below it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { SqlTextError } from "../errors.ts";
import {
  splitStatements,
  type Statement,
  type Token,
  tokenize,
} from "../sql.ts";
import { checkBounds } from "./bounds.ts";
import {
  type Directives,
  isKnownDirective,
  parseDirective,
} from "./directive.ts";
import { classify, type StatementKind } from "./statement.ts";

/** A statement of a migration. */
export interface MigrationStatement {
  /** The statement, without its semicolon and the comments around it. */
  readonly text: string;
  /** Where it starts in the migration's text, in UTF-16 code units from 0. */
  readonly offset: number;
  /** The line that it starts on, from 1. */
  readonly line: number;
  /** The column that it starts at, in characters from 1. */
  readonly column: number;
  /** SHA-256 (hex) of its tokens: comments, blanks and line ends don't count. */
  readonly hash: string;
  /** What its directives, and its section's, ask for. */
  readonly directives: Directives;
}

/** A section of a migration. */
export interface Section {
  /** The statements, in order. */
  readonly statements: MigrationStatement[];
  /** The marker that ends the section; `undefined` where the text ended first. */
  readonly marker?: Token;
}

const MARKER = /^--\s*@undo\s*$/i;
const DIRECTIVE = /^--\s*@\w/;

/** Enough to tell an edit: each note of a long migration holds those of all that is done. */
const HASH_LENGTH = 16;

/**
 * Computes the hash by which a statement is recognised after its file was edited.
 *
 * @param statement The statement.
 * @returns The first digits of the SHA-256 (hex) of its tokens, in which comments, blanks and line ends don't count.
 * @throws {SqlTextError} A string, quoted identifier, dollar quote or comment that is not closed.
 */
export function statementHash(statement: string): string {
  const words = tokenize(statement)
    .filter((token) => token.kind !== "comment")
    .map(({ start, end }) => statement.slice(start, end));
  const normalised = words.join(" ").replaceAll("\r\n", "\n");
  return createHash("sha256").update(normalised).digest("hex")
    .slice(0, HASH_LENGTH);
}

/** What nearly all statements have, once for all of them. */
const NO_DIRECTIVES: Directives = Object.freeze({});

/** A statement whose hash is computed when it is first asked for. */
class LazyStatement implements MigrationStatement {
  #hash: string | undefined;

  constructor(
    readonly text: string,
    readonly offset: number,
    readonly line: number,
    readonly column: number,
    readonly directives: Directives,
  ) {}

  get hash(): string {
    return this.#hash ??= statementHash(this.text);
  }
}

/** Says whether nothing but blanks shares a line with a comment. */
function standsAlone(text: string, { start, end }: Token): boolean {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const lineEnd = text.indexOf("\n", end);
  return text.slice(lineStart, start).trim() === "" &&
    text.slice(end, lineEnd < 0 ? text.length : lineEnd).trim() === "";
}

/**
 * Reads the directives above each statement.
 *
 * @throws {SqlTextError} A directive that is unknown, stands above no statement, or is there twice.
 */
function readDirectives(
  text: string,
  statements: readonly Statement[],
  comments: readonly Token[],
): Directives[] {
  const directives: Directives[] = statements.map(() => ({}));
  for (const comment of comments) {
    const { start, end } = comment;
    const content = text.slice(start, end);
    const index = statements.findIndex((statement) =>
      start < statement.offset + statement.text.length
    );
    const isAbove = index >= 0 && start < statements[index].offset &&
      standsAlone(text, comment);
    if (!isAbove) {
      if (!isKnownDirective(content)) continue;
      throw new SqlTextError(
        "the directive has no effect here; put it on a line of its own above a statement",
        start,
      );
    }
    const given = parseDirective(content, start);
    if (Object.keys(given).some((name) => name in directives[index])) {
      throw new SqlTextError(
        "the directive is given twice for one statement; keep one",
        start,
      );
    }
    Object.assign(directives[index], given);
  }
  return directives;
}

/**
 * Refuses a character that no server takes in a statement. Of a text that was saved as UTF-16 every
 * other one is such, and all are UTF-8.
 */
function checkCharacters({ text, offset }: Statement): void {
  const nul = text.indexOf("\0");
  if (nul < 0) return;
  throw new SqlTextError(
    "the statement has a NUL character; remove it, or save the file as UTF-8",
    offset + nul,
  );
}

/** What is run in chunks; a query may call a function that writes. Others would be sent as they stand. */
const CHUNKED: readonly StatementKind[] = ["data", "query"];

/** Refuses a backfill that has no chunks; its offsets count from the migration's start. */
function checkBackfill({ text, offset }: Statement): void {
  const { kind, verb } = classify(text);
  if (!CHUNKED.includes(kind)) {
    throw new SqlTextError(
      `${verb || "the statement"} can't be run in chunks; ` +
        "write a data statement with $from and $to below @BACKFILL",
      offset,
    );
  }
  try {
    checkBounds(text);
  } catch (error) {
    if (!(error instanceof SqlTextError)) throw error;
    throw new SqlTextError(error.problem, offset + error.offset);
  }
}

/** Gives the lines and columns of offsets that never go back, in one pass over the text. */
function forwardPlaces(
  text: string,
): (offset: number) => { line: number; column: number } {
  let line = 1;
  let column = 1;
  let at = 0;
  return (offset) => {
    for (; at < offset; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x0a) {
        line++;
        column = 1;
      } else if ((code & 0xfc00) !== 0xdc00) column++;
    }
    return { line, column };
  };
}

/**
 * Reads a section.
 *
 * @param text The migration's text.
 * @param offset Where the section starts, in UTF-16 code units from 0.
 * @returns The section.
 * @throws {SqlTextError} A directive that is unknown, misplaced or can't be read; SQL that can't be
 * split into statements; a NUL character in one.
 */
export function readSection(text: string, offset = 0): Section {
  const comments: Token[] = [];
  let marker: Token | undefined;
  const statements = splitStatements(text, {
    offset,
    endsAt: (comment) => {
      const content = text.slice(comment.start, comment.end);
      if (!DIRECTIVE.test(content)) return false;
      if (!MARKER.test(content) || !standsAlone(text, comment)) {
        comments.push(comment);
        return false;
      }
      marker = comment;
      return true;
    },
  });
  statements.forEach(checkCharacters);

  const place = forwardPlaces(text);
  const directives = comments.length === 0
    ? undefined
    : readDirectives(text, statements, comments);
  const { timeoutMs } = directives?.[0] ?? {};
  const section = timeoutMs === undefined ? {} : { timeoutMs };
  const finished = statements.map(({ text, offset }, index) => {
    const { line, column } = place(offset);
    const own = directives?.[index];
    if (own === undefined) {
      return new LazyStatement(text, offset, line, column, NO_DIRECTIVES);
    }
    if (own.backfill !== undefined) checkBackfill({ text, offset });
    const all = { ...section, ...own };
    return new LazyStatement(text, offset, line, column, all);
  });
  return { statements: finished, marker };
}
