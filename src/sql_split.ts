/**
 * A script is split into its statements here, a token at a time, without knowing more of their
 * grammar than where a semicolon doesn't end one.
 *
 * @module
 */

import { SqlTextError } from "./errors.ts";
import { nextToken, type Token } from "./sql_tokens.ts";

/** A statement in a text. */
export interface Statement {
  /** The statement: without the comments around it, and without its semicolon. */
  readonly text: string;
  /** Where it starts in the text, in UTF-16 code units from 0. */
  readonly offset: number;
}

/** Options of {@linkcode splitStatements}. */
export interface SplitOptions {
  /** Where to begin, in UTF-16 code units; outside of any token. Default: 0. */
  offset?: number;
  /** Is shown each comment, in order; the split ends before one for which it returns `true`. */
  endsAt?: (comment: Token) => boolean;
}

/** What the splitter knows of the statement that it is in. */
interface Progress {
  start: number;
  end: number;
  words: number;
  verb: string;
  previous: string;
  parentheses: number[];
  /** Where the `BEGIN`, and each `CASE` in it, starts that awaits its `END`. */
  blocks: number[];
}

function fresh(): Progress {
  return {
    start: -1,
    end: -1,
    words: 0,
    verb: "",
    previous: "",
    parentheses: [],
    blocks: [],
  };
}

/** The forms of COPY that need somebody at the other end of the connection. */
const COPY_PROBLEMS: Readonly<Record<string, string>> = {
  "FROM STDIN":
    "COPY … FROM STDIN needs data that a statement can't carry; write INSERT statements",
  "TO STDOUT":
    "COPY … TO STDOUT sends rows that nobody takes; remove it, or write SELECT",
};

/** Keeps count of `BEGIN ATOMIC … END`, and refuses data that stands in the text. */
function noteWord(state: Progress, sql: string, token: Token): void {
  const word = token.end - token.start <= 6
    ? sql.slice(token.start, token.end).toUpperCase()
    : "";
  if (state.words++ === 0) state.verb = word;
  if (state.verb === "CREATE") {
    const { blocks, previous } = state;
    if (word === "ATOMIC" && previous === "BEGIN") blocks.push(token.start);
    else if (word === "CASE" && blocks.length > 0) blocks.push(token.start);
    else if (word === "END") blocks.pop();
  } else if (state.verb === "COPY" && state.parentheses.length === 0) {
    const problem = COPY_PROBLEMS[`${state.previous} ${word}`];
    if (problem !== undefined) throw new SqlTextError(problem, state.start);
  }
  state.previous = word;
}

function notePunctuation(state: Progress, sql: string, token: Token): void {
  const code = sql.charCodeAt(token.start);
  if (code === 0x28) state.parentheses.push(token.start);
  else if (code === 0x29) state.parentheses.pop();
  else if (code === 0x5c) {
    const command = /^\\\S*/.exec(sql.slice(token.start, token.start + 40));
    throw new SqlTextError(
      `"${command?.[0]}" is a command of psql, not SQL; remove it`,
      token.start,
    );
  }
}

/**
 * Splits a script at its semicolons, except for those in strings, quoted identifiers, dollar
 * quotes, comments, parentheses and the `BEGIN ATOMIC … END` body of a function.
 *
 * A statement starts at its first token that is not a comment, so that the positions in a server's
 * answer point right. Pieces that hold only blanks and comments are left out.
 *
 * @example
 * ```ts
 * import { splitStatements } from "./sql_split.ts";
 *
 * splitStatements("SELECT 1; SELECT ';'"); // [{ text: "SELECT 1", offset: 0 }, …]
 * ```
 *
 * @param sql The script.
 * @param options Where to begin and end.
 * @returns The statements, in order.
 * @throws {SqlTextError} A string, quoted identifier, dollar quote, comment, parenthesis or
 * `BEGIN ATOMIC` that is not closed, a command of `psql`, `COPY … FROM STDIN`, `COPY … TO STDOUT`.
 */
export function splitStatements(
  sql: string,
  options: SplitOptions = {},
): Statement[] {
  const { offset = 0, endsAt } = options;
  const statements: Statement[] = [];
  let state = fresh();
  const finish = () => {
    const { start, end } = state;
    if (start >= 0) {
      statements.push({ text: sql.slice(start, end), offset: start });
      state = fresh();
    }
  };

  let token = nextToken(sql, offset);
  for (; token !== undefined; token = nextToken(sql, token.end)) {
    if (token.kind === "comment") {
      if (endsAt?.(token)) break;
      continue;
    }
    const isSemicolon = sql.charCodeAt(token.start) === 0x3b;
    if (
      isSemicolon && state.parentheses.length === 0 && state.blocks.length === 0
    ) {
      finish();
      continue;
    }
    if (state.start < 0) state.start = token.start;
    state.end = token.end;
    if (token.kind === "word") noteWord(state, sql, token);
    else {
      state.previous = "";
      if (token.kind === "punctuation") notePunctuation(state, sql, token);
    }
  }
  if (state.parentheses.length > 0) {
    const open = state.parentheses[state.parentheses.length - 1];
    throw new SqlTextError(
      "the parenthesis is not closed; close it with )",
      open,
    );
  }
  if (state.blocks.length > 0) {
    throw new SqlTextError(
      "BEGIN ATOMIC is not closed; close it with END",
      state.blocks[0],
    );
  }
  finish();
  return statements;
}
