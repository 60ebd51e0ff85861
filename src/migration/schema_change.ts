/**
 * A schema change on its own: the intent is noted before it is sent, and where the answer is lost or
 * an interruption leaves jobs behind, the jobs and the catalog tell what became of it.
 *
 * @module
 */

import { DatabaseError, MigrationError } from "../errors.ts";
import { quoteLiteral } from "../sql.ts";
import { sendChange } from "./concurrent_index.ts";
import { factsOf, heldBefore, withFacts } from "./facts.ts";
import {
  type Flight,
  isLost,
  placeOf,
  progressNote,
  retriedStatement,
  UnknownOutcome,
} from "./flight.ts";
import { insist } from "./insist.ts";
import { type Intent, readJournal } from "./journal.ts";
import type { ProgressNote } from "./journal_notes.ts";
import { describeParts, PartlyDone, partsDone } from "./part.ts";
import type { PlannedStatement } from "./planned.ts";
import { partsOf, predicateOf } from "./predicate.ts";
import { type Run, writeJournal } from "./run.ts";
import { renewSession, replaySettings } from "./settings.ts";
import { type Settlement, settlementOf } from "./settlement.ts";
import { classify, type Effect } from "./statement.ts";
import { jobsToEnd, type JobsToEndOptions, stoppable } from "./stop.ts";
import { watched } from "./watch.ts";

/**
 * Runs a schema change.
 *
 * @throws {UnknownOutcome} Where it is open what became of it; the intent stays in the journal.
 */
export async function runSchemaChange(
  flight: Flight,
  planned: PlannedStatement,
): Promise<void> {
  const { run, done } = flight;
  const { statement } = planned;
  const place = placeOf(flight, planned);
  const { effects = [] } = classify(statement.text, run);
  const intent = {
    ordinal: done.length,
    hash: statement.hash,
    ...await asTheRole(run, {
      predicate: predicateOf(effects, run.kind),
      facts: factsOf(effects, run.kind),
    }),
  };
  const { rows } = await writeJournal(run, progressNote(flight, { intent }));
  const database = rows[0]?.[1] ?? undefined;
  const start = performance.now();
  run.emit({ type: "statement-started", text: statement.text, ...place });
  const sending = () =>
    watched(flight, planned, () => sendChange(flight, planned));
  try {
    await retriedStatement(
      flight,
      planned,
      () => stoppable(flight, planned, sending, { database }),
    );
  } catch (error) {
    if (!await mayAsk(flight, error)) {
      throw new UnknownOutcome("the answer was lost", { cause: error });
    }
    if (!isInterruption(run, error)) {
      throw await asPartlyDone(flight, effects, error);
    }
    const { progress } = await readJournal(run.session, run.tables);
    if (!progress?.intent) throw error;
    // An ambiguous answer isn't a wish to stop: what runs may run to its end.
    const wish = isLost(error) || isPause(error) ? "wait" : "cancel";
    const { settled } = await settle(flight, planned, {
      intent: progress.intent,
      ...{ wish, answer: error, start },
    });
    run.emit({ type: "statement-reconciled", outcome: settled, ...place });
    if (settled === "unknown") {
      throw new UnknownOutcome("the catalog can't tell", { cause: error });
    }
    if (settled === "not-done") {
      if (isLost(error)) return await runSchemaChange(flight, planned);
      throw error;
    }
  }
  run.emit({
    type: "statement-finished",
    durationMs: performance.now() - start,
    ...place,
  });
}

/**
 * Finds out what became of a schema change that an earlier run has sent.
 *
 * @returns Whether it is done; where it is, that is in the flight's list.
 * @throws {MigrationError} Where only a person can tell, with the commands that do.
 */
export async function settleIntent(
  flight: Flight,
  planned: PlannedStatement,
  intent: Intent,
): Promise<boolean> {
  const { run, migration, done } = flight;
  const { statement, number } = planned;
  const { settled, parts } = await settle(flight, planned, {
    intent,
    wish: "resume",
  });
  run.emit({
    type: "statement-reconciled",
    outcome: settled,
    ...placeOf(flight, planned),
  });
  if (settled === "not-done") return false;
  if (settled === "done") {
    done.push(statement.hash);
    return true;
  }
  const { path } = migration.file;
  const { line, column } = statement;
  const options = { version: migration.version, file: path, line, column };
  throw new UnknownOutcome("the catalog can't tell", {
    cause: new MigrationError(
      `Cannot go on with ${path}:${line}:${column}: an earlier run sent statement ${number} and never had its answer, ` +
        `and the catalog can't tell whether it took effect:\n  ${
          statement.text.split("\n")[0]
        }\n` +
        (parts.length === 0
          ? "Look for its effect in the database. If it is there, run"
          : `A part of it took effect (${
            describeParts(parts)
          }), the rest did not. Do the rest, and run`) +
        `: crdb repair ${migration.version} --done\n` +
        `${
          parts.length === 0 ? "If it isn't" : "Or undo that part, and"
        } run: ` +
        `crdb repair ${migration.version} --not-done\nThen run the command again.`,
      options,
    ),
  });
}

/** What an intent asks the catalog, as SQL. */
type Questions = Pick<
  NonNullable<ProgressNote["intent"]>,
  "predicate" | "facts"
>;

/**
 * Answers an intent's questions where a migration has taken a role on: under one's own, by which the
 * journal is written, names may mean other objects. Otherwise the note itself asks.
 */
async function asTheRole(
  { role, session }: Run,
  { predicate, facts }: Questions,
): Promise<Questions> {
  if (role === undefined) return { predicate, facts };
  const text = `SELECT (${predicate ?? "NULL::BOOL"})::TEXT, ` +
    `(${facts ?? "NULL::TEXT"})::TEXT`;
  const { rows: [[before, known]] } = await insist(() => session.query(text));
  return {
    predicate: before ?? undefined,
    facts: known === null ? undefined : quoteLiteral(known),
  };
}

/** Whether the session can be asked what became of the statement; where we gave it up, another one. */
async function mayAsk(flight: Flight, error: unknown): Promise<boolean> {
  const { run } = flight;
  if (run.lease.lost.aborted) return false;
  if (!run.session.broken) return true;
  // Where the server is gone, or has thrown us out, the next run asks.
  if (isLost(error)) return false;
  await renewSession(run);
  await replaySettings(flight);
  return true;
}

interface SettleOptions extends Omit<JobsToEndOptions, "since"> {
  readonly intent: Intent;
  /** When the statement was begun, by `performance.now()`. Default: now. */
  readonly start?: number;
}

async function settle(
  flight: Flight,
  planned: PlannedStatement,
  { intent, start, ...wished }: SettleOptions,
): Promise<{ settled: Settlement; parts: readonly Effect[] }> {
  const { run } = flight;
  const { effects = [], idempotent } = classify(planned.statement.text, run);
  const since = intent.at;
  const wait = () => jobsToEnd(flight, planned, { ...wished, since });
  await watched(flight, planned, wait, { since, start });
  const known = withFacts(effects, intent.facts);
  const before = heldBefore(known, intent);
  const now = await held(run, known);
  const settled = settlementOf({ effects: known, idempotent, before, now });
  const isLacking = known.some((_, i) =>
    before[i] === false && now[i] === false
  );
  const parts = isLacking ? partsDone(known, before, now) : [];
  return { settled, parts };
}

/** Tells a statement of which nothing is done from one that has failed in the middle. */
async function asPartlyDone(
  { run }: Flight,
  effects: readonly Effect[],
  error: unknown,
): Promise<unknown> {
  const isOneStep = run.kind === "postgresql" || effects.length < 2;
  if (isOneStep || run.session.broken) return error;
  try {
    const { progress } = await readJournal(run.session, run.tables);
    if (!progress?.intent) return error;
    const known = withFacts(effects, progress.intent.facts);
    const before = heldBefore(known, progress.intent);
    const parts = partsDone(known, before, await held(run, known));
    return parts.length === 0 ? error : new PartlyDone(parts, error);
  } catch {
    // What the statement said counts, not what a question about it says.
    return error;
  }
}

/** Asks of each effect whether the catalog holds it now. */
async function held(
  { session, kind }: Run,
  effects: readonly Effect[],
): Promise<(boolean | null)[]> {
  const parts = partsOf(effects, kind);
  if (parts.every((part) => part === undefined)) return parts.map(() => null);
  const list = parts.map((part) => part ?? "NULL::BOOL").join(", ");
  const { rows: [row] } = await insist(() => session.query(`SELECT ${list}`));
  return row.map((value) => value === null ? null : value === "t");
}

/** Whether an error ends the waiting for a statement that may go on in jobs of its own. */
function isInterruption(run: Run, error: unknown): boolean {
  if (run.cancel.aborted || isLost(error) || isPause(error)) return true;
  return error instanceof DatabaseError && error.code === "57014";
}

/**
 * Whether an error says that an operator has paused the statement's job, which may be resumed.
 *
 * Source: {@link https://github.com/cockroachdb/cockroach/blob/master/pkg/jobs/wait.go}
 */
function isPause(error: unknown): boolean {
  return error instanceof DatabaseError &&
    /^job \d+ was paused before it completed/.test(error.message);
}
