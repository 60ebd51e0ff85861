/**
 * The names of statements that a session keeps parsed on its server. Parsing takes a server as long
 * as running a short statement, so one that is run again and again gets a name.
 *
 * A name freezes what the statement's tables, types and literals meant when it was parsed. So none
 * lasts for more than a second, nor beyond anything but a query or a change of rows that any session
 * of this process has run; and what a later `*` or `'now'` means is asked for each time.
 *
 * @module
 */

/** A statement's name, and whether the server has it already. */
export interface StatementName {
  /** The name. */
  readonly name: string;
  /** Whether the statement was parsed under it. */
  readonly isParsed: boolean;
}

/** A statement that is run so often within a second is parsed once for the rest of it. */
const MIN_USES = 10;
const LIFETIME_MS = 1_000;
const MAX_STATEMENTS = 256;
const MAX_LENGTH = 8 * 1024;

/** The commands after which every table and setting is as it was. */
const HARMLESS = new Set([
  ...["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", ""],
  ...["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"],
]);

/** All of `count(*)` may be kept; no other star, and no word for a time that the parser reads. */
const FLEETING =
  /(?<!\(\s*)\*|\*(?!\s*\))|'\s*(?:now|today|tomorrow|yesterday|allballs)\b/i;

interface Entry {
  uses: number;
  name?: string;
}

let changes = 0;

/**
 * Takes note of a command that a session has run; a name doesn't outlast those that change more than
 * rows.
 *
 * @param command The words of its command tag.
 */
export function noteCommand(command: string): void {
  if (!HARMLESS.has(command)) changes++;
}

/** The names that one session has given. */
export class StatementNames {
  readonly #entries = new Map<string, Entry>();
  #prefix?: string;
  #outdated: string[] = [];
  #changes = changes;
  #since = 0;
  #given = 0;
  #useless = false;

  /**
   * Counts a use of a statement.
   *
   * @returns Its name; `undefined` where it is better parsed once more.
   */
  use(text: string): StatementName | undefined {
    if (this.#useless) return undefined;
    const now = Date.now();
    const age = Math.abs(now - this.#since);
    if (this.#changes !== changes || age >= LIFETIME_MS) {
      this.forget();
      this.#since = now;
    }
    const entry = this.#entryOf(text);
    if (entry === undefined || ++entry.uses < MIN_USES) return undefined;
    const isParsed = entry.name !== undefined;
    const name = entry.name ??= this.#newName();
    return { name, isParsed };
  }

  /** Gives all names up. */
  forget(): void {
    for (const { name } of this.#entries.values()) {
      if (name !== undefined) this.#outdated.push(name);
    }
    this.#entries.clear();
    this.#changes = changes;
  }

  /** Gives names up for good: the server has lost one, as happens behind a pooler. */
  stop(): void {
    this.#useless = true;
    this.forget();
  }

  /** Says, once, which names the server can forget. */
  takeOutdated(): readonly string[] {
    const outdated = this.#outdated;
    if (outdated.length > 0) this.#outdated = [];
    return outdated;
  }

  /** Behind a pooler, which lends one session of the server to many, others' names may be met. */
  #newName(): string {
    this.#prefix ??= `crdb_${crypto.randomUUID()}_`;
    return `${this.#prefix}${++this.#given}`;
  }

  #entryOf(text: string): Entry | undefined {
    const known = this.#entries.get(text);
    if (known !== undefined) return known;
    if (text.length > MAX_LENGTH || this.#entries.size >= MAX_STATEMENTS) {
      return undefined;
    }
    const entry = { uses: FLEETING.test(text) ? -Infinity : 0 };
    this.#entries.set(text, entry);
    return entry;
  }
}
