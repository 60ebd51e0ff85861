/**
 * The words of SQL text: where each token starts and ends, in the lexical grammars of CockroachDB
 * and PostgreSQL at once. Nothing here knows what a statement means, and no text is copied.
 *
 * @module
 */

import { SqlTextError } from "./errors.ts";

/**
 * What a token is. `identifier` is a quoted one; keywords and plain identifiers are `word`s;
 * `parameter` is `$1` or `$name`; everything that remains is `punctuation`.
 */
export type TokenKind =
  | "word"
  | "identifier"
  | "string"
  | "number"
  | "parameter"
  | "punctuation"
  | "comment";

/** A token, by its offsets in the text (UTF-16 code units, as `String.slice` counts). */
export interface Token {
  /** What the token is. */
  readonly kind: TokenKind;
  /** The offset of its first character. */
  readonly start: number;
  /** The offset after its last character. */
  readonly end: number;
}

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DOLLAR = 0x24;
const DASH = 0x2d;
const SLASH = 0x2f;
const STAR = 0x2a;
const DOT = 0x2e;
const COLON = 0x3a;
const AMPERSAND = 0x26;

const BLANK = 1;
const WORD = 2;
const DIGIT = 4;
const OPERATOR = 8;

/** What each ASCII character may be part of; all others are parts of words. */
const CLASSES = new Uint8Array(128);
for (const c of " \t\n\r\f\v") CLASSES[c.charCodeAt(0)] = BLANK;
for (const c of "abcdefghijklmnopqrstuvwxyz_") {
  CLASSES[c.charCodeAt(0)] = CLASSES[c.toUpperCase().charCodeAt(0)] = WORD;
}
for (const c of "0123456789") CLASSES[c.charCodeAt(0)] = DIGIT;
for (const c of "+-*/<>=~!@#%^&|`?") CLASSES[c.charCodeAt(0)] = OPERATOR;

/** The class of a character: 0 for none and past the end of the text; a byte order mark is blank. */
function classOf(code: number): number {
  if (code < 128) return CLASSES[code];
  if (Number.isNaN(code)) return 0;
  return code === 0xfeff ? BLANK : WORD;
}

/** The offset after a quoted text whose opening quote is at `open`. */
function quotedEnd(
  sql: string,
  start: number,
  open: number,
  escapes: boolean,
): number {
  const quote = sql.charCodeAt(open);
  for (let i = open + 1; i < sql.length; i++) {
    const code = sql.charCodeAt(i);
    if (code === BACKSLASH && escapes) i++;
    else if (code === quote) {
      if (sql.charCodeAt(i + 1) !== quote) return i + 1;
      i++;
    }
  }
  throw quote === QUOTE
    ? new SqlTextError("the string is not closed; close it with '", start)
    : new SqlTextError(
      'the quoted identifier is not closed; close it with "',
      start,
    );
}

function blockCommentEnd(sql: string, start: number): number {
  let depth = 1;
  for (let i = start + 2; i < sql.length; i++) {
    const code = sql.charCodeAt(i);
    if (code === SLASH && sql.charCodeAt(i + 1) === STAR) {
      depth++;
      i++;
    } else if (code === STAR && sql.charCodeAt(i + 1) === SLASH) {
      depth--;
      i++;
      if (depth === 0) return i + 1;
    }
  }
  throw new SqlTextError("the comment is not closed; close it with */", start);
}

function lineCommentEnd(sql: string, start: number): number {
  let end = start + 2;
  while (end < sql.length) {
    const code = sql.charCodeAt(end);
    if (code === 0x0a || code === 0x0d) break;
    end++;
  }
  return end;
}

/** The offset after the characters from `start` on that belong to one of the classes. */
function runEnd(sql: string, start: number, classes: number): number {
  let end = start;
  while ((classOf(sql.charCodeAt(end)) & classes) !== 0) end++;
  return end;
}

function wordEnd(sql: string, start: number): number {
  let end = runEnd(sql, start, WORD | DIGIT);
  // A dollar inside a word belongs to it, and opens no dollar quote: a$b$c is one word.
  while (sql.charCodeAt(end) === DOLLAR) {
    end = runEnd(sql, end + 1, WORD | DIGIT);
  }
  return end;
}

function numberEnd(sql: string, start: number): number {
  let end = runEnd(sql, start, WORD | DIGIT);
  if (sql.charCodeAt(end) === DOT && sql.charCodeAt(end + 1) !== DOT) {
    end = runEnd(sql, end + 1, WORD | DIGIT);
  }
  const last = sql.charCodeAt(end - 1) | 0x20;
  const sign = sql.charCodeAt(end);
  const signed = last === 0x65 && (sign === 0x2b || sign === DASH) &&
    classOf(sql.charCodeAt(end + 1)) === DIGIT;
  return signed ? runEnd(sql, end + 1, DIGIT) : end;
}

function operatorEnd(sql: string, start: number): number {
  let end = start + 1;
  while (classOf(sql.charCodeAt(end)) === OPERATOR) {
    const code = sql.charCodeAt(end);
    const next = sql.charCodeAt(end + 1);
    if (code === DASH && next === DASH) break;
    if (code === SLASH && next === STAR) break;
    end++;
  }
  return end;
}

/** A parameter, or a text in dollar quotes. */
function dollarToken(sql: string, start: number): Token {
  const first = classOf(sql.charCodeAt(start + 1));
  if (first === DIGIT) {
    const end = runEnd(sql, start + 1, DIGIT);
    return { kind: "parameter", start, end };
  }
  const tagEnd = runEnd(sql, start + 1, WORD | DIGIT);
  if (sql.charCodeAt(tagEnd) !== DOLLAR) {
    const kind = first === WORD ? "parameter" : "punctuation";
    return { kind, start, end: tagEnd };
  }
  const tag = sql.slice(start, tagEnd + 1);
  const close = sql.indexOf(tag, tagEnd + 1);
  if (close < 0) {
    throw new SqlTextError(
      `the dollar quote is not closed; close it with ${tag}`,
      start,
    );
  }
  return { kind: "string", start, end: close + tag.length };
}

/** A word, or the string or identifier that a prefix such as `E'` or `U&"` opens. */
function wordToken(sql: string, start: number, code: number): Token {
  const next = sql.charCodeAt(start + 1);
  const letter = code | 0x20;
  if (next === QUOTE) {
    if (letter === 0x62 || letter === 0x65 || letter === 0x78) {
      // CockroachDB reads b'…' as bytes with escapes, and B'…' as bits.
      const escapes = letter === 0x65 || code === 0x62;
      return {
        kind: "string",
        start,
        end: quotedEnd(sql, start, start + 1, escapes),
      };
    }
  } else if (next === AMPERSAND && letter === 0x75) {
    const quote = sql.charCodeAt(start + 2);
    if (quote === QUOTE || quote === DOUBLE_QUOTE) {
      const kind = quote === QUOTE ? "string" : "identifier";
      return { kind, start, end: quotedEnd(sql, start, start + 2, false) };
    }
  }
  return { kind: "word", start, end: wordEnd(sql, start) };
}

/**
 * Finds the first token at or after an offset.
 *
 * A backslash is a token of its own, since only `psql` gives it a meaning.
 *
 * @param sql The text.
 * @param from Where to look; it must not lie inside a token.
 * @returns The token; `undefined` where only blanks are left.
 * @throws {SqlTextError} A string, quoted identifier, dollar quote or comment that is not closed;
 * its `offset` is where it starts.
 */
export function nextToken(sql: string, from: number): Token | undefined {
  const start = runEnd(sql, from, BLANK);
  if (start >= sql.length) return undefined;
  const code = sql.charCodeAt(start);
  const next = sql.charCodeAt(start + 1);
  switch (classOf(code)) {
    case WORD:
      return wordToken(sql, start, code);
    case DIGIT:
      return { kind: "number", start, end: numberEnd(sql, start) };
    case OPERATOR: {
      if (code === DASH && next === DASH) {
        return { kind: "comment", start, end: lineCommentEnd(sql, start) };
      }
      if (code === SLASH && next === STAR) {
        return { kind: "comment", start, end: blockCommentEnd(sql, start) };
      }
      return { kind: "punctuation", start, end: operatorEnd(sql, start) };
    }
  }
  switch (code) {
    case QUOTE:
      return {
        kind: "string",
        start,
        end: quotedEnd(sql, start, start, false),
      };
    case DOUBLE_QUOTE: {
      const end = quotedEnd(sql, start, start, false);
      return { kind: "identifier", start, end };
    }
    case DOLLAR:
      return dollarToken(sql, start);
    case DOT:
      if (classOf(next) === DIGIT) {
        return { kind: "number", start, end: numberEnd(sql, start) };
      }
      break;
    case COLON:
      if (next === COLON || next === 0x3d) {
        return { kind: "punctuation", start, end: start + 2 };
      }
  }
  return { kind: "punctuation", start, end: start + 1 };
}

/**
 * Splits SQL text into its tokens, comments included and blanks left out.
 *
 * @example
 * ```ts
 * import { tokenize } from "./sql_tokens.ts";
 *
 * tokenize("SELECT $1").map((token) => token.kind); // ["word", "parameter"]
 * ```
 *
 * @param sql The text.
 * @returns The tokens, in order.
 * @throws {SqlTextError} A string, quoted identifier, dollar quote or comment that is not closed;
 * its `offset` is where it starts.
 */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let token = nextToken(sql, 0);
  while (token !== undefined) {
    tokens.push(token);
    token = nextToken(sql, token.end);
  }
  return tokens;
}
