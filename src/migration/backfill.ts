/**
 * Backfills: a data statement that is run for one chunk of a table's keys after another, each chunk
 * in a transaction of its own that also notes the last key, so that a run goes on where another was
 * interrupted.
 *
 * @module
 */

import { MigrationError } from "../errors.ts";
import {
  quoteIdentifier,
  quoteLiteral,
  quoteName,
  splitName,
  tokenize,
} from "../sql.ts";
import {
  type Flight,
  placeOf,
  progressNote,
  retriedStatement,
} from "./flight.ts";
import type { PlannedStatement } from "./planned.ts";
import { mayGoOn, writeJournal } from "./run.ts";

/**
 * Runs a backfill.
 *
 * @param cursor The last key that an earlier run has done, as text; `null` at the beginning.
 */
export async function runBackfill(
  flight: Flight,
  planned: PlannedStatement,
  cursor: string | null,
): Promise<void> {
  const { run } = flight;
  const { statement } = planned;
  const { table, key, batch, pauseMs } = statement.directives.backfill!;
  const place = placeOf(flight, planned);
  const start = performance.now();
  let rows = 0;
  run.emit({ type: "statement-started", text: statement.text, ...place });
  while (true) {
    await mayGoOn(run);
    const bounds = await retriedStatement(flight, planned, async () => {
      const { rows } = await run.session.query(
        boundsQuery({ table, key, batch, after: cursor }),
      );
      return rows[0];
    });
    const [from, to] = bounds;
    if (from === null || to === null) break;
    const text = boundStatement(statement.text, from, to);
    rows += await retriedStatement(flight, planned, async () => {
      const { rowCount } = await run.session.query(`BEGIN; ${text}`, [], {
        timeoutMs: statement.directives.timeoutMs,
        signal: AbortSignal.any([run.cancel, run.lease.lost]),
      });
      await writeJournal(run, progressNote(flight, { cursor: to }), "COMMIT");
      return rowCount;
    });
    cursor = to;
    run.emit({ type: "backfill-progress", cursor, rows, ...place });
    if (pauseMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  run.emit({
    type: "statement-finished",
    durationMs: performance.now() - start,
    ...place,
  });
}

/** What a chunk is cut from. */
export interface ChunkOptions {
  /** The table, as written. */
  readonly table: string;
  /** The key's column, as written. */
  readonly key: string;
  /** How many keys a chunk has at most. */
  readonly batch: number;
  /** The key after which the chunk begins, as text; `null` for the first. */
  readonly after: string | null;
}

/** Writes the query for the first and the last key of the next chunk; both are NULL after the last. */
export function boundsQuery(
  { table, key, batch, after }: ChunkOptions,
): string {
  const column = written(key);
  const where = after === null
    ? ""
    : ` WHERE ${column} > ${quoteLiteral(after)}`;
  return `WITH chunk AS (SELECT ${column} AS k FROM ${
    written(table)
  }${where} ORDER BY ${column} LIMIT ${batch}) ` +
    "SELECT (SELECT k FROM chunk ORDER BY k LIMIT 1), (SELECT k FROM chunk ORDER BY k DESC LIMIT 1)";
}

/** A name as SQL would read it: folded to lower case outside of quotes. */
function written(name: string): string {
  if (name.includes('"')) return quoteName(name);
  return splitName(name).map((part) => quoteIdentifier(part.toLowerCase()))
    .join(".");
}

const INCLUSIVE: Readonly<Record<string, string>> = {
  ">": ">=",
  "<": "<=",
  ">=": ">=",
  "<=": "<=",
};

/**
 * Puts the bounds into a backfill's statement. Both belong to the chunk, so a comparison of a bound
 * by `<` or `>` is widened: `id > $from` and `id >= $from` mean the same here.
 *
 * @example
 * ```ts ignore
 * boundStatement("UPDATE t SET a = 1 WHERE id > $from AND id <= $to", "1", "9");
 * // "UPDATE t SET a = 1 WHERE id >= '1' AND id <= '9'"
 * ```
 */
export function boundStatement(text: string, from: string, to: string): string {
  const tokens = tokenize(text).filter(({ kind }) => kind !== "comment");
  const word = (index: number) =>
    tokens[index] ? text.slice(tokens[index].start, tokens[index].end) : "";
  const replacements = new Map<number, string>();
  tokens.forEach((token, index) => {
    const name = word(index);
    if (token.kind !== "parameter" || (name !== "$from" && name !== "$to")) {
      return;
    }
    replacements.set(index, quoteLiteral(name === "$from" ? from : to));
    for (const neighbour of [index - 1, index + 1]) {
      const wide = INCLUSIVE[word(neighbour)];
      if (wide !== undefined) replacements.set(neighbour, wide);
    }
  });
  if (replacements.size === 0) {
    throw new MigrationError(
      "Cannot run the backfill: its statement has no $from and $to; add them",
    );
  }
  let bound = "";
  let end = 0;
  for (
    const [index, replacement] of [...replacements].sort(([a], [b]) => a - b)
  ) {
    bound += text.slice(end, tokens[index].start) + replacement;
    end = tokens[index].end;
  }
  return bound + text.slice(end);
}
