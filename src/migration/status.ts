/**
 * The state of each migration, for people to read. Pure.
 *
 * @module
 */

import type { MigrationError } from "../errors.ts";
import { readCursor } from "./cursor.ts";
import { compareVersions, type MigrationFile } from "./file.ts";
import type { JournalState } from "./journal.ts";
import { isInFlight, VersionMap } from "./versions.ts";

/** The state of a migration. */
export interface MigrationStatus {
  /** The version; empty for a file whose name has none. */
  readonly version: string;
  /** The description. */
  readonly description: string;
  /** The state in a word. */
  readonly state:
    | "applied"
    | "pending"
    | "half-applied"
    | "half-undone"
    | "edited"
    | "missing"
    | "unreadable";
  /** Whether it counts as applied. */
  readonly applied: boolean;
  /** When it was applied, by the database's clock. */
  readonly applied_at: Date | null;
  /** The file; `null` where it is missing. */
  readonly path: string | null;
  /** How many of its statements are done, where it is half applied or half undone. */
  readonly done?: number;
  /** The number of the statement that was sent and whose outcome isn't known, where there is one. */
  readonly unsettled?: number;
  /** The last key that the backfill in flight has done, where there is one. */
  readonly upTo?: string;
  /** Why the last run stopped, or why the file can't be read. */
  readonly error?: string;
}

/** What is known of a version. */
interface Sources {
  readonly version: string;
  readonly file?: MigrationFile;
  readonly unreadable?: MigrationError;
}

/**
 * Puts files and journal side by side, by version.
 *
 * @param unreadable Why other files can't be read.
 */
export function statusOf(
  files: readonly MigrationFile[],
  state: JournalState,
  unreadable: readonly MigrationError[] = [],
): MigrationStatus[] {
  const { applied, progress } = state;
  const rows = new VersionMap(applied);
  const sources: Sources[] = [
    ...files.map((file) => ({ version: file.version, file })),
    ...unreadable.map((error) => (
      { version: error.version ?? "", unreadable: error }
    )),
  ];
  const known = new VersionMap(sources);
  const recorded = [...applied, ...(progress ? [progress] : [])]
    .map(({ version }) => ({ version }))
    .filter(({ version }) => !known.has(version));
  sources.push(...new VersionMap(recorded).values());
  return sources
    .map((source) => statusOfOne(source, state, rows.get(source.version)))
    .sort((a, b) => compareVersions(a.version, b.version));
}

function statusOfOne(
  { version, file, unreadable }: Sources,
  { progress }: JournalState,
  row: JournalState["applied"][number] | undefined,
): MigrationStatus {
  const flight = isInFlight(progress, version) ? progress : undefined;
  const isEdited = file && row && row.checksum !== null &&
    row.checksum !== file.checksum;
  const error = unreadable?.message ?? flight?.error;
  return {
    version,
    description: file?.description ?? row?.description ?? unreadable?.file ??
      "",
    state: unreadable
      ? "unreadable"
      : flight
      ? flight.direction === "up" ? "half-applied" : "half-undone"
      : row === undefined
      ? "pending"
      : file === undefined
      ? "missing"
      : isEdited
      ? "edited"
      : "applied",
    applied: row !== undefined,
    applied_at: row?.applied_at ?? null,
    path: file?.path ?? unreadable?.file ?? null,
    ...(flight && { done: flight.done.length }),
    ...(flight?.intent && { unsettled: flight.intent.ordinal + 1 }),
    ...(flight?.cursor && { upTo: readCursor(flight.cursor).last }),
    ...(error && { error }),
  };
}
