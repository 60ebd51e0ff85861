/**
 * Backfills: a data statement that is run for one chunk of a table's keys after another, each chunk
 * in a transaction of its own that also notes the last key, so that a run goes on where another was
 * interrupted.
 *
 * @module
 */

import { delay } from "../delay.ts";
import { DatabaseError, type MigrationError } from "../errors.ts";
import { offsetOfPosition } from "../sql.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import {
  boundsOpening,
  boundsQuery,
  boundStatement,
  keyQuery,
  keyText,
} from "./bounds.ts";
import { statementFailure } from "./failure.ts";
import {
  type Flight,
  placeOf,
  progressNote,
  retriedStatement,
} from "./flight.ts";
import type { PlannedStatement } from "./planned.ts";
import { mayGoOn, rollBack, type Run, writeJournal } from "./run.ts";
import { watched } from "./watch.ts";

/**
 * Runs a backfill, from where the flight's cursor is.
 *
 * @throws {MigrationError} A key that allows NULL or can't be compared with bounds, before anything is
 * run.
 */
export async function runBackfill(
  flight: Flight,
  planned: PlannedStatement,
): Promise<void> {
  const { run } = flight;
  const { statement } = planned;
  const { pauseMs } = statement.directives.backfill!;
  const place = placeOf(flight, planned);
  const stop = stopSignal(run);
  const start = performance.now();
  let rows = 0;
  run.emit({ type: "statement-started", text: statement.text, ...place });
  const typeOid = await keyType(flight, planned);
  let after = flight.cursor === null
    ? null
    : keyText(readCursor(flight.cursor).last, typeOid);
  while (true) {
    await mayGoOn(run);
    const bounds = await findBounds(flight, planned, { after, typeOid });
    if (bounds === undefined) break;
    rows += await runChunk(flight, planned, bounds);
    after = bounds.to;
    flight.cursor = cursorAt(flight, planned, after);
    run.emit({ type: "backfill-progress", cursor: after, rows, ...place });
    if (pauseMs === 0) continue;
    const next = await findBounds(flight, planned, { after, typeOid });
    // The bounds are found once more behind the pause, for rows may have come before them.
    if (next !== undefined) await delay(pauseMs, stop);
  }
  run.emit({
    type: "statement-finished",
    durationMs: performance.now() - start,
    ...place,
  });
}

/** Fires on whatever ends the run between two statements. */
function stopSignal({ signal, cancel, lease }: Run): AbortSignal {
  const own = signal === undefined ? [] : [signal];
  return AbortSignal.any([...own, cancel, lease.lost]);
}

function cursorAt(
  { migration: { statements } }: Flight,
  planned: PlannedStatement,
  key: string,
): string {
  const left = statements.slice(statements.indexOf(planned));
  return writeCursor(left.map(({ statement }) => statement), key);
}

function refusal(
  flight: Flight,
  planned: PlannedStatement,
  problem: string,
): MigrationError {
  const { migration, done, cursor } = flight;
  return statementFailure(new Error(problem), migration, planned, {
    done: done.length,
    upTo: cursor === null ? undefined : readCursor(cursor).last,
    outcome: "nothing",
  });
}

/** Collations by which CockroachDB compares a key with any text. */
const PLAIN_COLLATIONS: readonly (string | null)[] = [
  null,
  "default",
  "C",
  "POSIX",
];

/**
 * Finds the OID of the key's type; 0 where there is no such key, which the query for the bounds will say.
 * Rows without a key belong to no chunk, and would be left out without a word.
 */
async function keyType(
  flight: Flight,
  planned: PlannedStatement,
): Promise<number> {
  const { table, key } = planned.statement.directives.backfill!;
  const { kind } = flight.run;
  const [row] = await ask(flight, planned, keyQuery({ table, key, kind }));
  if (row === undefined) return 0;
  const [isNotNull, typeOid, collation] = row;
  if (isNotNull !== "t") {
    throw refusal(
      flight,
      planned,
      `the key ${key} of ${table} allows NULL, and a backfill would leave out the rows that have none; ` +
        "name a key that is NOT NULL, such as the primary key",
    );
  }
  if (kind === "cockroachdb" && !PLAIN_COLLATIONS.includes(collation)) {
    throw refusal(
      flight,
      planned,
      `the key ${key} of ${table} has the collation ${collation}, and CockroachDB compares no bounds with such a key; ` +
        "name a key without a collation",
    );
  }
  return Number(typeOid);
}

/** The first and the last key of a chunk. */
interface Bounds {
  readonly from: string;
  readonly to: string;
}

async function findBounds(
  flight: Flight,
  planned: PlannedStatement,
  { after, typeOid }: {
    readonly after: string | null;
    readonly typeOid: number;
  },
): Promise<Bounds | undefined> {
  const { table, key, batch } = planned.statement.directives.backfill!;
  const { kind } = flight.run;
  const query = boundsQuery({ table, key, batch, after, kind });
  const opening = boundsOpening(typeOid);
  const [[from, to]] = await ask(flight, planned, opening + query);
  if (from === null || to === null) return undefined;
  return { from: keyText(from, typeOid), to: keyText(to, typeOid) };
}

/** Asks something of our own; a position in that is none in the file. */
async function ask(
  flight: Flight,
  planned: PlannedStatement,
  query: string,
): Promise<readonly (readonly (string | null)[])[]> {
  try {
    return await retriedStatement(flight, planned, async () => {
      const { run } = flight;
      const { rows } = await run.session.query(query, [], { signal: run.stop });
      await rollBack(run);
      return rows;
    });
  } catch (error) {
    throw withPosition(error, () => undefined);
  }
}

const OPENING = "BEGIN; ";

/** Runs the statement for a chunk, notes the last key with it, and gives the number of rows. */
async function runChunk(
  flight: Flight,
  planned: PlannedStatement,
  bounds: Bounds,
): Promise<number> {
  const { run } = flight;
  const { text: statement, directives } = planned.statement;
  const { text, originOf } = boundStatement(statement, bounds);
  try {
    const sending = () =>
      retriedStatement(flight, planned, async () => {
        const { rowCount } = await run.session.query(OPENING + text, [], {
          timeoutMs: directives.timeoutMs,
          signal: run.stop,
        });
        const cursor = cursorAt(flight, planned, bounds.to);
        const note = progressNote(flight, { cursor });
        await writeJournal(run, note, "COMMIT");
        return rowCount;
      });
    return await watched(flight, planned, sending);
  } catch (error) {
    throw withPosition(error, (position) => {
      const offset = offsetOfPosition(text, position - OPENING.length);
      return [...statement.slice(0, originOf(offset))].length + 1;
    });
  }
}

/** An error of the server with another position, for what was sent isn't what is in the file. */
function withPosition(
  error: unknown,
  translate: (position: number) => number | undefined,
): unknown {
  if (!(error instanceof DatabaseError) || error.position === undefined) {
    return error;
  }
  const { statement, notices, cause, message } = error;
  const position = translate(error.position);
  const fields = { ...error, message, position };
  return new DatabaseError(fields, { statement, notices, cause });
}
