/**
 * Applies or undoes one migration: as one transaction where the server's schema changes are
 * transactional, else statement by statement, each noted in the journal.
 *
 * A data statement commits together with its note, so it is done exactly once. A schema change
 * stands alone between a note of the intent and one of the outcome; where the outcome is lost, the
 * catalog is asked.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";
import { runBackfill } from "./backfill.ts";
import { readCursor } from "./cursor.ts";
import { landingFailure, reasonOf, statementFailure } from "./failure.ts";
import {
  clearNote,
  counting,
  type Flight,
  isLost,
  landingNote,
  progressNote,
  retriedStatement,
  SEPARATOR,
  UnknownOutcome,
} from "./flight.ts";
import type { Progress } from "./journal.ts";
import { SINCE_BEGIN } from "./journal_notes.ts";
import { hasLanded, land, UnknownLanding } from "./landing.ts";
import { describeParts, PartlyDone } from "./part.ts";
import type { PlannedMigration, PlannedStatement } from "./planned.ts";
import {
  journalFailure,
  journalText,
  mayGoOn,
  rollBack,
  type Run,
  type Strategy,
  writeJournal,
} from "./run.ts";
import { runSchemaChange, settleIntent } from "./schema_change.ts";
import { forgetSettings, replaySettings } from "./settings.ts";
import { sendAndTell } from "./watch.ts";

/**
 * Applies or undoes a migration, or goes on with one that was interrupted.
 *
 * @param progress What the journal says of it, where it was interrupted.
 * @throws {MigrationError} With file, line and column of the statement that failed.
 */
export async function applyMigration(
  run: Run,
  migration: PlannedMigration,
  progress?: Progress,
): Promise<void> {
  const { version, description, direction } = migration;
  const done = [...progress?.done ?? []];
  const cursor = progress?.cursor ?? null;
  const startedAt = performance.now();
  const flight: Flight = { run, migration, done, cursor, startedAt };
  run.emit({
    type: "migration-started",
    version,
    description,
    direction,
    resumedAt: done.length,
  });
  if (strategyOf(flight, progress) === "transaction") await applyAtOnce(flight);
  else await applyByStatement(flight, progress);
  const durationMs = performance.now() - flight.startedAt;
  run.emit({
    type: "migration-finished",
    version,
    description,
    direction,
    durationMs,
  });
  // It has landed, and where its session can't be changed for another one, the next migration says so.
  await forgetSettings(flight).catch(() => {});
}

function strategyOf(
  { run, migration }: Flight,
  progress: Progress | undefined,
): Strategy {
  if (run.strategy === "statements" || progress !== undefined) {
    return "statements";
  }
  const needsOwn = migration.statements.some(({ statement, transactional }) =>
    statement.directives.backfill !== undefined || !transactional
  );
  return needsOwn ? "statements" : "transaction";
}

/** The parts of a message; the first that isn't done is where the server is, or has failed. */
type Part = "begin" | "statement" | "reset-role" | "note" | "commit";

async function applyAtOnce(flight: Flight): Promise<void> {
  const { run, migration } = flight;
  const { statements } = migration;
  const last = statements.at(-1);
  // What follows a change of role depends on it.
  const isTogether = last !== undefined && last.kind !== "session";
  let current = statements[0];
  let parts: Part[] = [];
  let isLanding = false;
  const onDone = () => void parts.shift();
  const attempt = async () => {
    if (last === undefined) await run.session.query("BEGIN");
    for (const planned of statements) {
      current = planned;
      await mayGoOn(run);
      const isFirst = planned === statements[0];
      isLanding = isTogether && planned === last;
      parts = isFirst ? ["begin", "statement"] : ["statement"];
      if (isLanding) parts.push(...landingParts(run));
      await sendAndTell(flight, planned, {
        opening: isFirst ? "BEGIN; " : "",
        closing: isLanding ? SEPARATOR + landing(flight) : "",
        onDone,
      });
    }
    if (isTogether) return;
    isLanding = true;
    parts = landingParts(run);
    await run.session.query(landing(flight), [], { sink: counting(onDone) });
  };
  try {
    await mayGoOn(run);
    await (current ? retriedStatement(flight, current, attempt) : attempt());
  } catch (thrown) {
    const [part] = parts;
    const isOurs = part === "reset-role" || part === "note";
    const error = isOurs ? journalFailure(thrown) : thrown;
    // Behind COMMIT the last word of the server is still to come.
    const isOpen = isLanding && (isLost(error) || run.session.broken);
    await rollBack(run).catch(() => {});
    if (isOpen && await hasLanded(flight)) return;
    if (!(error instanceof DatabaseError)) throw error;
    if (current === undefined) {
      throw isOpen ? landingFailure(error, migration) : error;
    }
    const cause = part === "commit" ? atCommit(error) : error;
    const outcome = isOpen ? "unconfirmed" : "nothing";
    throw statementFailure(cause, migration, current, { done: 0, outcome });
  }
}

function landingParts({ role }: Run): Part[] {
  return role === undefined
    ? ["note", "commit"]
    : ["reset-role", "note", "commit"];
}

/** The note that closes the migration, and COMMIT. */
function landing(flight: Flight): string {
  const note = landingNote(flight, SINCE_BEGIN);
  return journalText(flight.run, note, "COMMIT");
}

/** What COMMIT refuses, such as a deferred constraint, needn't be the last statement's fault. */
function atCommit(error: DatabaseError): DatabaseError {
  const { message, notices, cause } = error;
  return new DatabaseError({
    ...error,
    message: `COMMIT, after the last statement: ${message}`,
  }, { notices, cause });
}

async function applyByStatement(
  flight: Flight,
  progress: Progress | undefined,
): Promise<void> {
  const { run, migration } = flight;
  const { statements } = migration;
  let current: PlannedStatement | undefined;
  let isLanded = false;
  try {
    await replaySettings(flight);
    let first = 0;
    if (progress?.intent) {
      current = statements[0];
      if (await settleIntent(flight, current, progress.intent)) first = 1;
    }
    for (let index = first; index < statements.length; index++) {
      current = statements[index];
      await mayGoOn(run);
      isLanded = await step(flight, current, statements[index + 1]);
      flight.cursor = null;
    }
    if (!isLanded) await land(flight);
  } catch (error) {
    throw await noteFailure(flight, current, error);
  }
}

/** Runs one statement, and says whether its note closed the migration. */
async function step(
  flight: Flight,
  planned: PlannedStatement,
  next: PlannedStatement | undefined,
): Promise<boolean> {
  const { run, done } = flight;
  const { statement, kind } = planned;
  if (kind === "session") {
    await retriedStatement(flight, planned, () => sendAndTell(flight, planned));
    done.push(statement.hash);
    return false;
  }
  if (isSchemaChange(planned)) {
    await runSchemaChange(flight, planned);
    done.push(statement.hash);
    // The next intent, or the note that closes the migration, carries this outcome too.
    if (next && !isSchemaChange(next)) {
      await writeJournal(run, progressNote(flight));
    }
    return false;
  }
  if (statement.directives.backfill) {
    await runBackfill(flight, planned);
    done.push(statement.hash);
    return false;
  }
  const note = progressNote({ ...flight, done: [...done, statement.hash] });
  await retriedStatement(flight, planned, async () => {
    await sendAndTell(flight, planned, { opening: "BEGIN; " });
    await (next ? writeJournal(run, note, "COMMIT") : land(flight, "COMMIT"));
  });
  done.push(statement.hash);
  return next === undefined;
}

function isSchemaChange({ kind }: PlannedStatement): boolean {
  return kind === "ddl" || kind === "utility";
}

/** Notes how far a failed migration has come, where that may be, and describes the failure. */
async function noteFailure(
  flight: Flight,
  current: PlannedStatement | undefined,
  error: unknown,
): Promise<unknown> {
  const { run, migration, done, cursor } = flight;
  const isUnknown = error instanceof UnknownOutcome || isLost(error);
  const isPartly = error instanceof PartlyDone;
  const isWrapped = isPartly || error instanceof UnknownOutcome;
  const cause = isWrapped ? error.cause : error;
  if (!isUnknown && !run.lease.lost.aborted) {
    try {
      await rollBack(run);
      // Where nothing is done there is nothing to go on from, and the whole file may change.
      await writeJournal(
        run,
        done.length === 0 && cursor === null
          ? clearNote(flight)
          : progressNote(flight, { cursor, error: reasonOf(cause) }),
      );
    } catch {
      // The journal still holds the last note, and what follows from it is found out by the next run.
    }
  }
  if (!(cause instanceof DatabaseError)) return cause;
  const isLanding = error instanceof UnknownLanding;
  if (current === undefined) {
    return isLanding ? landingFailure(cause, migration) : cause;
  }
  const failure = statementFailure(cause, migration, current, {
    done: done.length,
    upTo: cursor === null ? undefined : readCursor(cursor).last,
    parts: isPartly ? describeParts(error.parts) : undefined,
    outcome: isLanding ? "unconfirmed" : isUnknown ? "unknown" : "nothing",
  });
  if (isUnknown) failure.cause = error;
  return failure;
}
