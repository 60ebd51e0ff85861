/**
 * Statements of a caller's that end the transaction in which they stand, of which nobody but the retry
 * loop may say when it ends. The server's word isn't enough: with `AND CHAIN`, or a `BEGIN` behind it
 * in the same text, it says that a transaction is open, but that is another one.
 *
 * @module
 */

import { SqlTextError } from "../errors.ts";
import { splitStatements } from "../sql_split.ts";
import { nextToken } from "../sql_tokens.ts";

/** Few texts hold one of these words, so most needn't be read. */
const ENDINGS = /\b(?:commit|end|rollback|abort|prepare)\b/i;

/**
 * Whether a statement that has succeeded is worth a look by {@linkcode endingCommand}: the server says
 * that the transaction is over, or has ended one, or may have ended one on the way.
 *
 * @param text The SQL.
 * @param answer What the server said: the command tag, and whether no transaction is open.
 */
export function mayHaveEnded(
  text: string,
  { command, isOver }: { command: string; isOver: boolean },
): boolean {
  return isOver || command === "COMMIT" || command === "ROLLBACK" ||
    text.includes(";");
}

/**
 * Finds the first statement in a text that ends a transaction; `ROLLBACK TO SAVEPOINT` doesn't.
 *
 * @returns Its command, as the server names it; `undefined` where there is none.
 */
export function endingCommand(text: string): string | undefined {
  if (!ENDINGS.test(text)) return undefined;
  try {
    for (const statement of splitStatements(text)) {
      const command = commandOf(statement.text);
      if (command !== undefined) return command;
    }
  } catch (error) {
    // What can't be split is the server's to refuse.
    if (!(error instanceof SqlTextError)) throw error;
  }
}

function commandOf(statement: string): string | undefined {
  const [verb, ...others] = firstWords(statement);
  switch (verb) {
    case "COMMIT":
    case "END":
      return "COMMIT";
    case "ROLLBACK":
    case "ABORT": {
      const [next, second] = others;
      const isNoise = next === "WORK" || next === "TRANSACTION";
      return (isNoise ? second : next) === "TO" ? undefined : "ROLLBACK";
    }
    case "PREPARE":
      return others[0] === "TRANSACTION" ? "PREPARE TRANSACTION" : undefined;
  }
}

/** The first three words of a statement, in upper case, comments left out. */
function firstWords(statement: string): string[] {
  const words: string[] = [];
  let token = nextToken(statement, 0);
  while (token !== undefined && words.length < 3) {
    const { kind, start, end } = token;
    if (kind !== "comment") {
      if (kind !== "word") break;
      words.push(statement.slice(start, end).toUpperCase());
    }
    token = nextToken(statement, end);
  }
  return words;
}
