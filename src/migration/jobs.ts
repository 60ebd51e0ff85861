/**
 * What goes on behind a schema change: the jobs that CockroachDB runs for it, and the sessions that
 * it waits for.
 *
 * @module
 */

import type { Session } from "../driver/driver.ts";
import type { Blocker } from "./events.ts";
import type { ServerKind } from "./server.ts";

/** A job of a schema change. */
export interface Job {
  /** The job's id, a number of up to 19 digits. */
  readonly id: string;
  /** What it is, such as `SCHEMA CHANGE`. */
  readonly type: string;
  /** The statement, or what is left of it. */
  readonly description: string;
  /** Its state, such as `running` or `succeeded`. */
  readonly status: string;
  /** What it does just now; may be empty. */
  readonly runningStatus: string;
  /** How far it is, from 0 to 1; may stand still. */
  readonly fraction: number;
  /** Why it failed; else empty. */
  readonly error: string;
  /** When it was made, by the database's clock. */
  readonly created: Date;
}

/** Options of {@linkcode waitForJobs}. */
export interface WaitOptions {
  /** Ends the waiting; the jobs go on. */
  readonly signal?: AbortSignal;
  /** Is told of the jobs that are under way, after each look. */
  readonly onProgress?: (jobs: readonly Job[]) => void;
  /** How long to pause between two looks, in milliseconds. Default: 250. */
  readonly pollMs?: number;
}

/** Lists the current user's schema-change jobs since a time. */
export function schemaJobs(_session: Session, _since: Date): Promise<Job[]> {
  return Promise.resolve([]);
}

/** Waits for jobs. */
export function waitForJobs(
  _session: Session,
  jobs: readonly Job[],
  _options: WaitOptions = {},
): Promise<Job[]> {
  return Promise.resolve([...jobs]);
}

/** Cancels jobs. */
export function cancelJobs(
  _session: Session,
  _jobs: readonly Job[],
): Promise<void> {
  return Promise.resolve();
}

/** Names the sessions that a schema change waits for. */
export function blockersOf(
  _session: Session,
  _kind: ServerKind,
  _mainSession: string,
): Promise<Blocker[]> {
  return Promise.resolve([]);
}
