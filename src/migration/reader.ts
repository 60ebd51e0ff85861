/**
 * A cursor over the tokens of one statement, for parsers that know only a part of the grammar:
 * they take the words that they expect, and give up where something else stands.
 *
 * @module
 */

import { unescapeString } from "../sql_escapes.ts";
import { nextToken, type TokenKind } from "../sql_tokens.ts";
import { foldName, normalName, type ServerKind } from "./server.ts";

/** The name of an object: `[table]`, `[schema, table]` or `[database, schema, table]`. */
export type ObjectName = readonly string[];

/** A token that is not a comment, with its text. */
export interface Term {
  /** What the token is. */
  readonly kind: TokenKind;
  /** Its text, as written. */
  readonly text: string;
  /** Its text in upper case where it is a word or punctuation; else `""`. */
  readonly word: string;
  /** The offset of its first character. */
  readonly start: number;
  /** The offset after its last character. */
  readonly end: number;
}

const END: Term = { kind: "punctuation", text: "", word: "", start: 0, end: 0 };

const OPENING = ["(", "[", "{"];
const CLOSING = [")", "]", "}"];

/** Reads the string that a literal stands for; `undefined` for bits, bytes and `U&'…'`. */
function literalValue(text: string): string | undefined {
  const dollar = /^\$[^$]*\$/.exec(text)?.[0].length;
  if (dollar !== undefined) return text.slice(dollar, -dollar);
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (/^e'/i.test(text)) {
    return unescapeString(text.slice(2, -1).replaceAll("''", "'"));
  }
  return undefined;
}

/** A cursor over terms. They are read from the statement as they are asked for. */
export class Reader {
  readonly #terms: Term[];
  readonly #kind: ServerKind | undefined;
  #at = 0;
  /** The statement that more terms are read from, from an offset on. */
  #sql: string;
  #offset = 0;

  /**
   * Puts a cursor before the first term.
   *
   * @param statement The statement, or some of its terms.
   * @param kind What the server is, which folds names in its own way.
   */
  constructor(statement: string | readonly Term[], kind?: ServerKind) {
    this.#kind = kind;
    this.#sql = typeof statement === "string" ? statement : "";
    this.#terms = typeof statement === "string" ? [] : [...statement];
  }

  #term(index: number): Term | undefined {
    while (index >= this.#terms.length) {
      const token = nextToken(this.#sql, this.#offset);
      if (token === undefined) return undefined;
      const { kind, start, end } = token;
      this.#offset = end;
      if (kind === "comment") continue;
      const text = this.#sql.slice(start, end);
      const isWord = kind === "word" || kind === "punctuation";
      const word = isWord ? text.toUpperCase() : "";
      this.#terms.push({ kind, text, word, start, end });
    }
    return this.#terms[index];
  }

  /** The next term; an empty one at the end. */
  get next(): Term {
    return this.#term(this.#at) ?? END;
  }

  /** Whether no term is left. */
  get done(): boolean {
    return this.#term(this.#at) === undefined;
  }

  /** The terms that are left. */
  get rest(): readonly Term[] {
    this.#term(Infinity);
    return this.#terms.slice(this.#at);
  }

  #over(terms: readonly Term[]): Reader {
    return new Reader(terms, this.#kind);
  }

  /** Puts another cursor before the terms that are left. */
  fork(): Reader {
    return this.#over(this.rest);
  }

  /** The text that is left, as {@linkcode Reader.textOf} gives it. */
  get restText(): string {
    return this.textOf(this.rest);
  }

  /** The text of some terms, with a single space for the blanks and comments between two. */
  textOf(terms: readonly Term[]): string {
    return terms.map(({ text, start }, i) =>
      i > 0 && terms[i - 1].end < start ? ` ${text}` : text
    ).join("");
  }

  /** Whether words come next, given as one text such as `"IF NOT EXISTS"`. */
  sees(words: string): boolean {
    const { word } = this.next;
    if (word === "" || !words.startsWith(word)) return false;
    if (words.length === word.length) return true;
    return words.split(" ")
      .every((word, i) => this.#term(this.#at + i)?.word === word);
  }

  /** Takes words where they come next, and says whether they did. */
  take(words: string): boolean {
    if (!this.sees(words)) return false;
    this.#at += words.split(" ").length;
    return true;
  }

  /** Takes the first of several words, or groups of words, that comes next. */
  takeOne(...choices: readonly string[]): string | undefined {
    return choices.find((words) => this.take(words));
  }

  /** Passes over one term, or a whole group where it opens parentheses or brackets. */
  skip(): void {
    let depth = 0;
    do {
      const { kind, text } = this.next;
      if (kind === "punctuation") {
        if (OPENING.includes(text)) depth++;
        else if (CLOSING.includes(text)) depth--;
      }
      this.#at++;
    } while (depth > 0 && !this.done);
  }

  /** Passes over terms outside of parentheses, to the first of the words; says whether it came. */
  skipTo(...words: readonly string[]): boolean {
    while (!this.done) {
      if (words.includes(this.next.word)) return true;
      this.skip();
    }
    return false;
  }

  /** Takes an identifier, folded to lower case where it stands without quotes. */
  identifier(): string | undefined {
    const { kind, text } = this.next;
    const name = kind === "word"
      ? foldName(text, this.#kind)
      : kind === "identifier" && text.startsWith('"')
      ? normalName(text.slice(1, -1).replaceAll('""', '"'), this.#kind)
      : undefined;
    if (name !== undefined) this.#at++;
    return name;
  }

  /** Takes the name of a role: CockroachDB folds it in quotes, too, and takes a string for one. */
  role(): string | undefined {
    if (this.#kind === "postgresql") return this.identifier();
    const name = this.identifier() ?? this.string();
    return name === undefined ? undefined : foldName(name);
  }

  /** Takes a name of up to three parts, or another number. */
  name(most = 3): ObjectName | undefined {
    const parts: string[] = [];
    do {
      const part = this.identifier();
      if (part === undefined) return undefined;
      parts.push(part);
    } while (this.take("."));
    return parts.length <= most ? parts : undefined;
  }

  /** Takes a list, separated by commas, of what a function takes. */
  list<T>(read: () => T | undefined): T[] | undefined {
    const items: T[] = [];
    do {
      const item = read();
      if (item === undefined) return undefined;
      items.push(item);
    } while (this.take(","));
    return items;
  }

  /** Takes a string; `undefined` where another term comes next. */
  string(): string | undefined {
    const { kind, text } = this.next;
    if (kind !== "string") return undefined;
    const value = literalValue(text);
    if (value !== undefined) this.#at++;
    return value;
  }

  /** Takes a group in parentheses; gives its parts, separated at the commas outside of inner ones. */
  group(): Reader[] | undefined {
    if (this.next.text !== "(") return undefined;
    const open = this.#at;
    this.skip();
    return this.#over(this.#terms.slice(open + 1, this.#at - 1)).split();
  }

  /** Takes everything that is left, separated at the commas outside of parentheses. */
  split(): Reader[] {
    const parts: Reader[] = [];
    while (!this.done) {
      const start = this.#at;
      this.skipTo(",");
      parts.push(this.#over(this.#terms.slice(start, this.#at)));
      this.take(",");
    }
    return parts;
  }
}
