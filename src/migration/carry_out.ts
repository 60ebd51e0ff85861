/**
 * Carries a plan out: looks whether there is anything to do, takes the lease, plans again with what
 * the journal says then, and applies one migration after another.
 *
 * @module
 */

import type { Database } from "../database/database.ts";
import { MigrationError } from "../errors.ts";
import { applyMigration } from "./apply.ts";
import { type JournalState, journalTables, readJournal } from "./journal.ts";
import { onJournal } from "./journal_wait.ts";
import type { MigrationOptions, RunOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import { listener, underLease } from "./runner.ts";

/** What is carried out. */
export interface CarryOutOptions extends RunOptions {
  /** The direction of the migrations that count; others may have to be finished first. */
  direction: "up" | "down";
  /** Only counts them. */
  dryRun?: boolean;
}

/** A wrong folder has a problem for each migration that is applied. */
const MAX_TOLD = 20;

/**
 * Carries out what `planFor` makes of the journal, and returns the number of migrations.
 *
 * @throws {MigrationError} A problem, before anything is touched; or the statement that failed.
 * @throws {LockTimeoutError} Where another runner held the lease all the time.
 */
export async function carryOut(
  db: Database,
  planFor: (state: JournalState) => Plan,
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
  const state = await onJournal(
    db,
    { table, lockTimeoutMs, signal, emit: listener(options) },
    (session) => readJournal(session, tables),
  );
  const expected = agreed(planFor(state));
  if (expected.migrations.length === 0 || dryRun) return countOf(expected);
  const done = await underLease(
    db,
    {
      ...options,
      isComplete: state.complete,
      isNeedless: async (session) => {
        const state = await readJournal(session, tables);
        return planFor(state).migrations.length === 0;
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
