/**
 * The names of queries that a session keeps parsed on its server. Parsing takes a server as long as
 * running a short query, so one that is run again and again gets a name.
 *
 * A name freezes what the query's tables, literals and arguments meant when it was parsed, even while
 * it waits for another's ALTER TABLE. So only queries get one, for a write would convert its values by
 * the type that a column had; no argument may be of a kind that types read differently; none lasts for
 * more than a second, nor beyond anything but a query or a change of rows that any session of this
 * process has run; and what a later `*` or `'now'` means is asked for each time. What is left is that
 * for a second a new table of another process may not yet hide one that stands behind it in the search
 * path.
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

/** CREATE TABLE … AS and SELECT … INTO call themselves SELECT, and so does what sets something. */
const CHANGING = /\b(?:create|into|set_config)\b/i;

const QUERY = /^\s*(?:select|values|table|with)\b/i;
const WRITING = /\b(?:insert|update|delete|merge|upsert|into)\b/i;

/** All of `count(*)` may be kept, but no other star. */
const STAR = /(?<!\(\s*)\*|\*(?!\s*\))/;

/** Words for a time that the parser reads; and ways to write a string in which they aren't seen. */
const TIME =
  /'\s*(?:now|today|tomorrow|yesterday|allballs)\b|\$\w*\$|\b(?:e|u&)'/i;

/** Numbers with a fraction, dates and times: what they are depends on the type that reads them. */
const AMBIGUOUS = /^\s*[-+]?(?:\d+(?:[-:/e ]|\.\d)|\.\d|inf|nan)/i;

interface Entry {
  uses: number;
  name?: string;
}

let changes = 0;

/** Takes note of a change of more than rows: no name outlasts it. */
export function noteChange(): void {
  changes++;
}

/** Whether a command changes more than rows. */
export function isChange(command: string): boolean {
  return !HARMLESS.has(command);
}

/** Whether a text may change more than rows though its command is a query's. */
export function isDisguised(text: string, command: string): boolean {
  return command === "SELECT" && CHANGING.test(text);
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
  use(
    text: string,
    args: readonly (string | null)[],
  ): StatementName | undefined {
    if (this.#useless) return undefined;
    const now = Date.now();
    const age = Math.abs(now - this.#since);
    if (this.#changes !== changes || age >= LIFETIME_MS) {
      this.forget();
      this.#since = now;
    }
    const entry = this.#entryOf(text);
    if (entry === undefined || ++entry.uses < MIN_USES) return undefined;
    if (args.some((arg) => arg !== null && AMBIGUOUS.test(arg))) {
      return undefined;
    }
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
    const entry = { uses: mayBeKept(text) ? 0 : -Infinity };
    this.#entries.set(text, entry);
    return entry;
  }
}

function mayBeKept(text: string): boolean {
  return QUERY.test(text) && !WRITING.test(text) && !STAR.test(text) &&
    !TIME.test(text);
}
