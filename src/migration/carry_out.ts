/**
 * Carries a plan out: looks whether there is anything to do, takes the lease, plans again with what
 * the journal says then, and applies one migration after another.
 *
 * @module
 */

import type { Database } from "../database/database.ts";
import { MigrationError } from "../errors.ts";
import { applyMigration } from "./apply.ts";
import type { MigrationFile } from "./file.ts";
import { type JournalState, journalTables, readJournal } from "./journal.ts";
import { onJournal } from "./journal_wait.ts";
import type { MigrationOptions, RunOptions } from "./options.ts";
import { type Plan, planRedo } from "./plan.ts";
import { listener, underLease } from "./runner.ts";
import { newestOf } from "./versions.ts";

/** What is carried out. */
export interface CarryOutOptions extends RunOptions {
  /** The direction of the migrations that count; others may have to be finished first. */
  direction: "up" | "down";
  /** Only counts them. */
  dryRun?: boolean;
}

/** A wrong folder has a problem for each migration that is applied. */
const MAX_TOLD = 20;

/** Makes a plan of what the journal says. */
export type PlanMaker = (state: JournalState) => Plan;

/**
 * Carries out what the migrations and the journal come to, and returns the number of migrations.
 *
 * @param load Loads the migrations; the journal is read meanwhile.
 * @throws {MigrationError} A problem, before anything is touched; or the statement that failed.
 * @throws {LockTimeoutError} Where another runner held the lease all the time.
 */
export async function carryOut(
  db: Database,
  load: () => Promise<PlanMaker>,
  options: CarryOutOptions & MigrationOptions,
): Promise<number> {
  const {
    dryRun,
    direction,
    table = "_migrations",
    lockTimeoutMs = 60_000,
    signal,
  } = options;
  const tables = journalTables(table);
  const countOf = ({ migrations }: Plan) =>
    migrations.filter((migration) => migration.direction === direction).length;
  const emit = listener(options);
  const [planFor, state] = await alongside(
    load,
    (signal) =>
      onJournal(
        db,
        { table, lockTimeoutMs, signal, emit },
        (session) => readJournal(session, tables),
      ),
    signal,
  );
  const expected = planFor(state);
  // What is half applied may be another's, who is still at it; under the lease nobody is.
  if (dryRun || !isPassing(expected)) {
    agreed(expected);
    if (dryRun || expected.migrations.length === 0) return countOf(expected);
  }
  const done = await underLease(
    db,
    {
      ...options,
      isComplete: state.complete,
      isNeedless: async (session) => {
        const state = await readJournal(session, tables);
        const { migrations, problems } = planFor(state);
        // What forbids the run is told under the lease.
        return migrations.length === 0 && problems.length === 0;
      },
    },
    async (run, state) => {
      const plan = agreed(planFor(state));
      for (const migration of plan.migrations) {
        await applyMigration(run, migration, migration.progress);
      }
      return countOf(plan);
    },
  );
  return done ?? 0;
}

/** Whether all that forbids a plan may be over in a moment. */
function isPassing({ problems }: Plan): boolean {
  return problems.length > 0 &&
    problems.every(({ type }) => type === "half-applied");
}

/**
 * Makes the plan of the second half of a `redo()`, which applies the newest migration again.
 *
 * @returns What makes it; `undefined` where no migration is applied.
 * @throws {MigrationError} What would stop that half: it is no reason to begin with the first.
 */
export function redoing(
  files: readonly MigrationFile[],
  state: JournalState,
): PlanMaker | undefined {
  const newest = newestOf(state.applied);
  if (newest === undefined) return undefined;
  const planFor = (state: JournalState) =>
    planRedo(files, state, newest.version);
  const applied = state.applied.filter((row) => row !== newest);
  agreed(planFor({ ...state, applied }));
  return planFor;
}

/**
 * Loads what is at hand while something is read from afar, which ends where the loading fails.
 *
 * @throws What the loading threw, before what the reading did.
 */
export async function alongside<L, R>(
  load: () => Promise<L>,
  read: (signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<[L, R]> {
  const needless = new AbortController();
  const signals = [needless.signal, ...(signal === undefined ? [] : [signal])];
  const reading = read(AbortSignal.any(signals));
  // It is waited for below: until then nobody else is to hear that it failed.
  const settled = reading.then(() => {}, () => {});
  try {
    return [await load(), await reading];
  } catch (error) {
    needless.abort();
    await settled;
    throw error;
  }
}

/**
 * Gives a plan that nothing forbids.
 *
 * @throws {MigrationError} Its problems.
 */
export function agreed(plan: Plan): Plan {
  const [first] = plan.problems;
  if (first === undefined) return plan;
  const { version, file, line } = first;
  const told = plan.problems.slice(0, MAX_TOLD).map(({ message }) => message);
  const untold = plan.problems.length - told.length;
  if (untold > 0) told.push(`and ${untold} more; verify names them all`);
  throw new MigrationError(told.join("\n"), { version, file, line });
}
