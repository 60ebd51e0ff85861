/**
 * The end of a migration: the note that closes it, and what became of that where its answer is lost.
 *
 * @module
 */

import { type Flight, isLost, landingNote, UnknownOutcome } from "./flight.ts";
import { readJournal } from "./journal.ts";
import { writeJournal } from "./run.ts";
import { renewSession } from "./settings.ts";
import { findVersion, isInFlight } from "./versions.ts";

/** The note that closes a migration was sent, and its outcome is open. The cause says why. */
export class UnknownLanding extends UnknownOutcome {
  /** The class's name. */
  override name = "UnknownLanding";
}

/**
 * Closes the migration.
 *
 * @param more SQL that is sent in the same message, after the note.
 * @throws {UnknownLanding} Where the answer is lost, and the note isn't seen in the journal.
 */
export async function land(flight: Flight, more = ""): Promise<void> {
  try {
    await writeJournal(flight.run, landingNote(flight), more);
  } catch (error) {
    if (!isLost(error)) throw error;
    if (await hasLanded(flight)) return;
    throw new UnknownLanding("the answer to the last note was lost", {
      cause: error,
    });
  }
}

/**
 * Looks whether the journal holds the note that closes a migration, and lets the run go on with
 * another session where it does. Where it doesn't, the server may still be about to commit it.
 */
export async function hasLanded({ run, migration }: Flight): Promise<boolean> {
  if (run.lease.lost.aborted || run.cancel.aborted) return false;
  const { version, direction } = migration;
  try {
    const session = await run.open();
    try {
      const state = await readJournal(session, run.tables);
      const isApplied = findVersion(state.applied, version) !== undefined;
      const isClosed = state.complete &&
        !isInFlight(state.progress, version) &&
        isApplied === (direction === "up");
      if (!isClosed) return false;
    } finally {
      await session.close();
    }
  } catch {
    return false;
  }
  // It has landed all the same; a next migration says why it has no session.
  await renewSession(run).catch(() => {});
  return true;
}
