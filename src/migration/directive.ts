/**
 * Directives: comment lines such as `-- @TIMEOUT 10m` that say how a statement is run. They are
 * read here, one at a time.
 *
 * @module
 */

import { closest } from "../closest.ts";
import { SqlTextError } from "../errors.ts";

/** A data statement that is run in chunks of a table's keys. */
export interface Backfill {
  /** The table whose keys make the chunks, as written. */
  readonly table: string;
  /** The key's column, as written. */
  readonly key: string;
  /** How many keys a chunk has at most. */
  readonly batch: number;
  /** The pause between two chunks, in milliseconds. */
  readonly pauseMs: number;
}

/** What the directives of a statement ask for. */
export interface Directives {
  /** The statement's time limit, in milliseconds. */
  readonly timeoutMs?: number;
  /** How the statement is run in chunks. */
  readonly backfill?: Backfill;
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
/** The longest delay of a timer: 2^31 - 1 milliseconds. */
const MAX_DURATION = 2_147_483_647;
const DEFAULT_BATCH = 1_000;
const FORMS = "-- @UNDO, -- @TIMEOUT 10m, -- @BACKFILL table=… key=…";

/**
 * Reads a duration.
 *
 * @param text Digits and a unit: `500ms`, `30s`, `10m`, `1h`.
 * @returns Milliseconds; `undefined` where the text is no duration, or longer than 24 days.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  const duration = Number(match[1]) * UNITS[match[2]];
  return duration <= MAX_DURATION ? duration : undefined;
}

function parseTimeout(text: string, offset: number): Directives {
  const timeoutMs = parseDuration(text);
  if (!timeoutMs) {
    throw new SqlTextError(
      `"@TIMEOUT ${text}" is not a time limit; write 500ms, 30s, 10m or 1h`,
      offset,
    );
  }
  return { timeoutMs };
}

/** A part of a name: whatever could stand in quotes, without what would end it, or in quotes. */
const PART = String.raw`(?:[^\s".,:;()'\0]+|"(?:[^"\0]|"")+")`;
const COLUMN = new RegExp(`^${PART}$`, "u");
const TABLE = new RegExp(String.raw`^${PART}(?:\.${PART}){0,2}$`, "u");

function parseBackfill(text: string, offset: number): Directives {
  const fail = (problem: string) =>
    new SqlTextError(
      `${problem}; write @BACKFILL table=… key=… batch=1000 pause=50ms`,
      offset,
    );
  const pattern = /([a-z]+)=((?:"(?:[^"]|"")*"|[^\s"])+)(?:\s+|$)/gy;
  const values = new Map<string, string>();
  let end = 0;
  for (const [all, name, value] of text.matchAll(pattern)) {
    if (!["table", "key", "batch", "pause"].includes(name)) {
      throw fail(`@BACKFILL has no option "${name}"`);
    }
    if (values.has(name)) throw fail(`@BACKFILL has "${name}" twice`);
    values.set(name, value);
    end += all.length;
  }
  if (end < text.length) {
    throw fail(`"${text.slice(end)}" is not an option of @BACKFILL`);
  }
  const table = values.get("table");
  const key = values.get("key");
  if (table === undefined) throw fail("@BACKFILL names no table");
  if (key === undefined) throw fail("@BACKFILL names no key");
  if (key.replaceAll(/"(?:[^"]|"")*"/g, "").includes(",")) {
    throw fail(`"key=${key}" names several columns, and @BACKFILL takes one`);
  }
  if (!TABLE.test(table)) {
    throw fail(
      `"table=${table}" is not the name of a table, such as users, app.users or "My table"`,
    );
  }
  if (!COLUMN.test(key)) {
    throw fail(
      `"key=${key}" is not the name of a column, such as id or "My id"`,
    );
  }
  const batch = Number(values.get("batch") ?? DEFAULT_BATCH);
  if (!Number.isSafeInteger(batch) || batch < 1) {
    throw fail(`"batch=${values.get("batch")}" is not a number of keys`);
  }
  const pauseMs = parseDuration(values.get("pause") ?? "0ms");
  if (pauseMs === undefined) {
    throw fail(`"pause=${values.get("pause")}" is not a pause`);
  }
  return { backfill: { table, key, batch, pauseMs } };
}

/**
 * Tells whether a comment is one of the known directives, well placed and written or not.
 *
 * @param comment The comment.
 * @returns Whether it begins with a directive's word.
 */
export function isKnownDirective(comment: string): boolean {
  return /^--\s*@(?:undo|timeout|backfill)\b/i.test(comment);
}

const WORDS = ["undo", "timeout", "backfill"];
/** The marker in other tools: what follows it must not run forward. */
const OTHER_MARKERS = ["down", "rollback", "revert"];

/** Whether a word seems to be a directive that is misspelt, or the marker of another tool. */
function looksLikeDirective(word: string): boolean {
  const sorted = (letters: string) => [...letters.toLowerCase()].sort().join();
  return closest(word, [...WORDS, ...OTHER_MARKERS]) !== undefined ||
    WORDS.some((known) => sorted(known) === sorted(word));
}

/**
 * Reads a directive.
 *
 * @example
 * ```ts
 * import { parseDirective } from "./directive.ts";
 *
 * parseDirective("-- @TIMEOUT 10m", 0); // { timeoutMs: 600_000 }
 * ```
 *
 * @param comment The line comment, from its dashes on.
 * @param offset Where the comment starts, for errors.
 * @returns What it asks for; nothing where it is an ordinary comment, such as `-- @author joe`.
 * @throws {SqlTextError} A directive that seems misspelt, or values that it can't have.
 */
export function parseDirective(comment: string, offset: number): Directives {
  const text = comment.trimEnd();
  const [, word = "", rest = ""] = /^--\s*@(\w+)\s*(.*)$/.exec(text) ?? [];
  switch (word.toUpperCase()) {
    case "TIMEOUT":
      return parseTimeout(rest, offset);
    case "BACKFILL":
      return parseBackfill(rest, offset);
    case "UNDO":
      throw new SqlTextError(
        `"${text}" is not the marker; write -- @UNDO with nothing after it`,
        offset,
      );
  }
  if (!looksLikeDirective(word)) return {};
  throw new SqlTextError(
    `"@${word}" is not a directive here; the known ones are ${FORMS}`,
    offset,
  );
}
