/**
 * The state of each migration, for people to read. Pure.
 *
 * @module
 */

import type { JournalState } from "./journal.ts";
import { compareVersions, type MigrationFile } from "./file.ts";
import { findVersion } from "./versions.ts";

/** The state of a migration. */
export interface MigrationStatus {
  /** The version. */
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
    | "missing";
  /** Whether it counts as applied. */
  readonly applied: boolean;
  /** When it was applied, by the database's clock. */
  readonly applied_at: Date | null;
  /** The file; `null` where it is missing. */
  readonly path: string | null;
  /** How many of its statements are done, where it is half applied or half undone. */
  readonly done?: number;
  /** Why the last run stopped, where it did. */
  readonly error?: string;
}

/** Puts files and journal side by side, by version. */
export function statusOf(
  files: readonly MigrationFile[],
  { applied, progress }: JournalState,
): MigrationStatus[] {
  const versions = new Map<string, { file?: MigrationFile }>();
  for (const file of files) versions.set(file.version, { file });
  for (const { version } of applied) {
    if (findVersion(files, version) === undefined) versions.set(version, {});
  }
  return [...versions].map(([version, { file }]): MigrationStatus => {
    const row = findVersion(applied, version);
    const flight = progress && compareVersions(progress.version, version) === 0
      ? progress
      : undefined;
    const isEdited = file && row && row.checksum !== null &&
      row.checksum !== file.checksum;
    return {
      version,
      description: file?.description ?? row?.description ?? "",
      state: flight
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
      path: file?.path ?? null,
      ...(flight && { done: flight.done.length }),
      ...(flight?.error && { error: flight.error }),
    };
  }).sort((a, b) => compareVersions(a.version, b.version));
}
