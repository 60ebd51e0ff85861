/**
 * The planner: files, journal and wish to steps, or to the problems that forbid them. Pure.
 *
 * @module
 */

import type { MigrationError } from "../errors.ts";
import { compareVersions, type MigrationFile } from "./file.ts";
import type { AppliedMigration, JournalState } from "./journal.ts";
import { planned, type PlannedMigration } from "./planned.ts";
import {
  blameUnreadable,
  contentProblems,
  flightProblems,
  historyProblems,
  type Problem,
  unfinishedProblem,
  unreadableProblem,
} from "./problems.ts";
import { findVersion, isInFlight, newestOf, VersionMap } from "./versions.ts";

/** What a run would do. */
export interface Plan {
  /** The migrations, in the order in which they would run. */
  readonly migrations: readonly PlannedMigration[];
  /** What forbids the run; a run with problems does nothing. */
  readonly problems: readonly Problem[];
}

/** What `migrate()` is asked for. */
export interface MigrateWish {
  /** Up to and including this version. Default: all. */
  readonly targetVersion?: string;
  /** Whether versions below one that is applied may be pending. */
  readonly allowOutOfOrder?: boolean;
  /** Why files can't be read; any forbids the run. */
  readonly unreadable?: readonly MigrationError[];
}

/** Finds what is wrong: what forbids `migrate()`, and a migration that isn't finished. */
export function findProblems(
  files: readonly MigrationFile[],
  state: JournalState,
  wish: MigrateWish = {},
): Problem[] {
  const { problems } = planMigrate(files, state, wish);
  const { progress } = state;
  return progress ? [...problems, unfinishedProblem(progress)] : [...problems];
}

/** What `rollback()` is asked for. */
export interface RollbackWish {
  /** How many migrations, newest first. Default: 1. */
  readonly count?: number;
  /** Down to this version, which stays. */
  readonly targetVersion?: string;
  /** Why files can't be read; one of a migration that is to be undone forbids the run. */
  readonly unreadable?: readonly MigrationError[];
}

/** Plans `migrate()`. */
export function planMigrate(
  files: readonly MigrationFile[],
  state: JournalState,
  wish: MigrateWish = {},
): Plan {
  const { targetVersion, allowOutOfOrder = false, unreadable = [] } = wish;
  const problems = historyProblems(files, state);
  const applied = new VersionMap(state.applied);
  const target = targetVersion === undefined
    ? undefined
    : findVersion(files, targetVersion);
  if (targetVersion !== undefined && target === undefined) {
    problems.push({
      type: "unknown-target",
      version: targetVersion,
      message:
        `Cannot migrate to ${targetVersion}: no file has that version; ` +
        (files.length === 0
          ? "there are no migrations"
          : `the newest is ${files[files.length - 1].version}`),
    });
  }
  const pending = files.filter(({ version }) =>
    !applied.has(version) &&
    (target === undefined || compareVersions(version, target.version) <= 0)
  );
  const newest = newestOf(state.applied);
  for (
    const { version, path } of allowOutOfOrder || newest === undefined
      ? []
      : pending
  ) {
    if (compareVersions(version, newest!.version) > 0) continue;
    if (isInFlight(state.progress, version)) continue;
    problems.push({
      type: "out-of-order",
      version,
      file: path,
      message:
        `Cannot apply ${path}: ${
          newest!.version
        } is applied already and comes after it; ` +
        "give the file a newer version, or allow out-of-order migrations",
    });
  }
  const flight = state.progress;
  const migrations: PlannedMigration[] = [];
  if (flight?.direction === "down") {
    // The interrupted rollback is finished first; its migration is pending again after that.
    const file = findVersion(files, flight.version);
    if (file?.undoStatements) {
      const version = applied.get(flight.version)?.version;
      migrations.push(planned(file, "down", { flight, version }));
    }
    if (
      file &&
      (target === undefined ||
        compareVersions(file.version, target.version) <= 0)
    ) {
      pending.push(file);
      pending.sort((a, b) => compareVersions(a.version, b.version));
    }
  }
  if (flight?.direction === "up") {
    // What is half applied comes first, wherever its version stands.
    pending.sort((a, b) =>
      Number(isInFlight(flight, b.version)) -
      Number(isInFlight(flight, a.version))
    );
    const wanted = pending.some(({ version }) => isInFlight(flight, version));
    const file = findVersion(files, flight.version);
    if (!wanted && file) pending.unshift(file);
  }
  for (const file of pending) {
    migrations.push(planned(file, "up", { flight }));
  }
  problems.push(...migrations.flatMap(contentProblems));
  const own = unreadable.map(unreadableProblem);
  const others = blameUnreadable(problems, unreadable)
    .filter(({ type }) => type !== "unreadable");
  return { migrations, problems: [...own, ...others] };
}

/** Plans the second half of `redo()`: the migration that was undone, and no other that is pending. */
export function planRedo(
  files: readonly MigrationFile[],
  state: JournalState,
  version: string,
): Plan {
  const applied = new VersionMap(state.applied);
  const known = files.filter((file) =>
    applied.has(file.version) || compareVersions(file.version, version) === 0
  );
  return planMigrate(known, state, { targetVersion: version });
}

/** Plans `rollback()`. */
export function planRollback(
  files: readonly MigrationFile[],
  state: JournalState,
  wish: RollbackWish = {},
): Plan {
  const { count = 1, targetVersion, unreadable = [] } = wish;
  const flight = state.progress;
  const problems: Problem[] = [];
  if (flight?.direction === "up") {
    problems.push({
      type: "half-applied",
      version: flight.version,
      message: `Cannot roll back: ${flight.version} is half applied, with ${
        statements(flight.done.length)
      } of it done; finish it with migrate first`,
    });
  }
  const applied = [...state.applied].sort((a, b) =>
    compareVersions(b.version, a.version)
  );
  let chosen: readonly AppliedMigration[];
  if (targetVersion === undefined) {
    if (!(Number.isSafeInteger(count) && count >= 0) && count !== Infinity) {
      throw new RangeError(
        `Cannot roll back ${count} migrations: count is a whole number from 0`,
      );
    }
    chosen = applied.slice(0, count);
  } else {
    chosen = applied.filter(({ version }) =>
      compareVersions(version, targetVersion) > 0
    );
    if (
      !applied.some(({ version }) =>
        compareVersions(version, targetVersion) === 0
      )
    ) {
      problems.push({
        type: "unknown-target",
        version: targetVersion,
        message: `Cannot roll back to ${targetVersion}: it isn't applied; ` +
          (applied.length === 0
            ? "nothing is"
            : `the newest that is applied is ${applied[0].version}`),
      });
    }
  }
  if (flight?.direction === "down") {
    const isBegun = ({ version }: AppliedMigration) =>
      isInFlight(flight, version);
    chosen = [
      ...state.applied.filter(isBegun),
      ...chosen.filter((row) => !isBegun(row)),
    ];
  }
  const migrations: PlannedMigration[] = [];
  for (const { version, description } of chosen) {
    const file = findVersion(files, version);
    if (file === undefined) {
      problems.push({
        type: "missing",
        version,
        message:
          `Cannot roll back ${version} (${description}): its file is missing, and with it the undo part; restore the file`,
      });
    } else if (file.undoStatements === undefined) {
      problems.push({
        type: "no-undo",
        version,
        file: file.path,
        message:
          `Cannot roll back ${file.path}: it has no undo part; add one below a line "-- @UNDO"`,
      });
    } else {
      const next = planned(file, "down", { flight, version });
      problems.push(...flightProblems(file, next.progress));
      migrations.push(next);
    }
  }
  problems.push(...migrations.flatMap(contentProblems));
  return { migrations, problems: blameUnreadable(problems, unreadable) };
}

function statements(count: number): string {
  return count === 1 ? "1 statement" : `${count} statements`;
}
