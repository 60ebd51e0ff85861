/**
 * The events of a run as lines for people. Pure.
 *
 * @module
 */

import type {
  Blocker,
  MigrationEvent,
  StatementPlace,
} from "../migration/events.ts";
import { type Style, styleFor } from "./style.ts";
import { told } from "./told.ts";

/** Statements that take less need no line about their end, in milliseconds. */
const LONG_MS = 1_000;

/**
 * Says an event in a line, or several.
 *
 * @returns `undefined` where there is nothing to say.
 */
export function renderEvent(
  event: MigrationEvent,
  style: Style = styleFor(false),
): string | undefined {
  switch (event.type) {
    case "lease-acquired":
    case "lease-released":
      return undefined;
    case "lease-waiting": {
      const { holder, since } = event.holder;
      return style.warn(
        `Waiting for ${told(holder)}, who holds the lease since ${
          instant(since)
        } (${duration(event.waitedMs)} so far)`,
      );
    }
    case "journal-waiting":
      return event.blockers.map((blocker) =>
        style.warn(`The journal ${waiting(blocker, event.elapsedMs)}`)
      ).join("\n") || undefined;
    case "migration-started": {
      const { direction, resumedAt } = event;
      const verb = direction === "up" ? "Applying" : "Rolling back";
      const rest = resumedAt > 0 ? `, from statement ${resumedAt + 1} on` : "";
      return `${verb} ${titled(event)}${rest}`;
    }
    case "migration-finished": {
      const verb = event.direction === "up" ? "Applied" : "Rolled back";
      return style.good(
        `${verb} ${titled(event)} in ${duration(event.durationMs)}`,
      );
    }
    case "statement-started":
      return style.dim(`  ${place(event)}: ${told(event.text)}`);
    case "statement-finished":
      return event.durationMs < LONG_MS
        ? undefined
        : style.dim(`  ${place(event)} took ${duration(event.durationMs)}`);
    case "statement-retried":
      return style.warn(
        `  ${place(event)} is run again, attempt ${event.attempt + 1}: ${
          told(event.reason, 200)
        }`,
      );
    case "statement-reconciled":
      return style.warn(`  ${place(event)} ${RECONCILED[event.outcome]}`);
    case "statement-waiting":
      return event.blockers.map((blocker) =>
        style.warn(
          `  ${place(event)} ${waiting(blocker, event.elapsedMs)}`,
        )
      ).join("\n") || undefined;
    case "job-progress": {
      const { job, status, runningStatus, fraction, elapsedMs } = event;
      const what = runningStatus === "" ? "" : ` (${told(runningStatus)})`;
      return style.dim(
        `  ${place(event)}: job ${job} ${status}${what}, ${
          Math.floor(fraction * 100)
        } %, ${duration(elapsedMs)}`,
      );
    }
    case "backfill-progress":
      return style.dim(
        `  ${place(event)}: ${event.rows} rows, up to key ${
          told(event.cursor)
        }`,
      );
  }
}

/** It may have been sent by an earlier run, or have been interrupted in this one. */
const RECONCILED = {
  done: "was interrupted, and turned out to be done",
  "not-done": "was interrupted, and turned out not to be done",
  unknown: "was interrupted, and nothing tells whether it is done",
};

/** Names a migration. */
export function titled(
  { version, description }: { version: string; description: string },
): string {
  return description === "" ? version : `${version} ${told(description)}`;
}

/** Says how long something took. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Says when something was, to the second, in UTC. */
export function instant(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** Says how many there are of something. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function waiting(
  { session, application, since, query, isCertain }: Blocker,
  elapsedMs: number,
): string {
  const who = `session ${told(session)} (${
    told(application) || "no application"
  }, open since ${instant(since)}): ${told(query)}`;
  return `has waited ${duration(elapsedMs)}${
    isCertain ? "" : ", perhaps"
  } for ${who}`;
}

function place({ statement, statements }: StatementPlace): string {
  return `statement ${statement} of ${statements}`;
}
