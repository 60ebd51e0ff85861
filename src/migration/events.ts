/**
 * What a run says of itself while it goes on.
 *
 * @module
 */

import type { Direction } from "./journal.ts";

/** Somebody whom a run waits for. */
export interface Holder {
  /** Who it is: user, host, process. */
  readonly holder: string;
  /** Since when it holds the lease. */
  readonly since: Date;
}

/** A session that a schema change waits for. */
export interface Blocker {
  /** The session, as the server names it. */
  readonly session: string;
  /** Its application. */
  readonly application: string;
  /** Since when its transaction is open, or the session where that isn't known. */
  readonly since: Date;
  /** What it last ran, without passwords, cut to 100 characters. */
  readonly query: string;
  /** Whether the server says so; CockroachDB shows only who may stand in the way. */
  readonly isCertain: boolean;
}

/** Where in a run an event belongs. */
export interface StatementPlace {
  /** The migration's version. */
  readonly version: string;
  /** Whether it is applied or undone. */
  readonly direction: Direction;
  /** The statement's number, from 1. */
  readonly statement: number;
  /** How many statements the migration has in this direction. */
  readonly statements: number;
}

/** An event of a run. */
export type MigrationEvent =
  | {
    readonly type: "lease-waiting";
    readonly holder: Holder;
    readonly waitedMs: number;
  }
  | {
    /** The journal's own tables are held by others. */
    readonly type: "journal-waiting";
    readonly blockers: readonly Blocker[];
    readonly elapsedMs: number;
  }
  | { readonly type: "lease-acquired"; readonly fence: string }
  | { readonly type: "lease-released" }
  | {
    readonly type: "migration-started";
    readonly version: string;
    readonly description: string;
    readonly direction: Direction;
    /** How many statements an earlier run has done. */
    readonly resumedAt: number;
  }
  | {
    readonly type: "migration-finished";
    readonly version: string;
    readonly description: string;
    readonly direction: Direction;
    readonly durationMs: number;
  }
  | { readonly type: "statement-started"; readonly text: string }
    & StatementPlace
  | { readonly type: "statement-finished"; readonly durationMs: number }
    & StatementPlace
  | {
    readonly type: "statement-retried";
    readonly attempt: number;
    readonly reason: string;
  }
    & StatementPlace
  | {
    readonly type: "statement-reconciled";
    readonly outcome: "done" | "not-done" | "unknown";
  } & StatementPlace
  | {
    readonly type: "statement-waiting";
    readonly blockers: readonly Blocker[];
    readonly elapsedMs: number;
  } & StatementPlace
  | {
    readonly type: "job-progress";
    readonly job: string;
    readonly status: string;
    readonly runningStatus: string;
    /** From 0 to 1; it may stand still while the job goes on. */
    readonly fraction: number;
    readonly elapsedMs: number;
  } & StatementPlace
  | {
    readonly type: "backfill-progress";
    /** The last key of the chunk. */
    readonly cursor: string;
    /** How many rows this run has changed. */
    readonly rows: number;
  } & StatementPlace;
