/**
 * Which jobs of a cluster can be a statement's. A description begins as the statement does, with the
 * names written out, and is all that tells. Pure.
 *
 * @module
 */

import { tokenize } from "../sql_tokens.ts";
import { isFinal, type Job } from "./jobs.ts";
import { foldName, normalName } from "./server.ts";
import type { Effect } from "./statement.ts";

/** Whose jobs are looked for. */
export interface JobChoice {
  /** The session's database. Default: any. */
  readonly database?: string;
  /** The statement. */
  readonly statement: string;
}

/**
 * Chooses the jobs that go on and may be those of a statement: all but those that surely are another
 * database's. What the statement itself names with several parts may be named by its job, too.
 */
export function openJobs(
  jobs: readonly Job[],
  { database, statement }: JobChoice,
): Job[] {
  const open = jobs.filter((job) => !isFinal(job));
  if (database === undefined) return open;
  const ours = new Set([database, ...firstParts(statement, 2)]);
  return open.filter(({ description }) => {
    const named = firstParts(description, 3);
    return named.length === 0 || named.some((name) => ours.has(name));
  });
}

/** The first parts of the names in a text that have so many parts or more; none where it can't be read. */
function firstParts(text: string, parts: number): string[] {
  const found: string[] = [];
  let name: string[] = [];
  let isOpen = false;
  const end = () => {
    if (name.length >= parts) found.push(name[0]);
    name = [];
  };
  for (const { kind, word } of wordsOf(text)) {
    if (kind === "word" || kind === "identifier") {
      if (!isOpen) end();
      name.push(kind === "word" ? foldName(word) : normalName(unquoted(word)));
      isOpen = false;
    } else if (word === "." && name.length > 0) isOpen = true;
    else {
      end();
      isOpen = false;
    }
  }
  end();
  return found;
}

function wordsOf(text: string): { kind: string; word: string }[] {
  try {
    return tokenize(text).filter(({ kind }) => kind !== "comment")
      .map(({ kind, start, end }) => ({ kind, word: text.slice(start, end) }));
  } catch {
    // A description may be cut off.
    return [];
  }
}

/**
 * Chooses the jobs whose descriptions name what a statement is about. Another's may hold the same
 * letters in a longer name.
 *
 * @param effects What the statement does; none where that isn't known.
 */
export function jobsAbout(
  jobs: readonly Job[],
  effects: readonly Effect[],
): Job[] {
  const names = effects.flatMap(lastNames);
  return jobs.filter(({ description }) => {
    const named = description.match(IDENTIFIERS)?.map(unquoted) ?? [];
    return names.some((name) => named.includes(name));
  });
}

/** The names in a text; in a string they may stand as well. */
const IDENTIFIERS = /"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*/gu;

function unquoted(name: string): string {
  return name.replace(/^"|"$/g, "").replaceAll('""', '"');
}

/** The names, without their schemas, of what an effect is about. */
function lastNames(effect: Effect): string[] {
  const names = [
    "table" in effect ? effect.table : undefined,
    "typeName" in effect ? effect.typeName : undefined,
    "from" in effect ? effect.from : undefined,
    "name" in effect && typeof effect.name !== "string"
      ? effect.name
      : undefined,
  ];
  return names.flatMap((name) => name?.at(-1) ?? []);
}
