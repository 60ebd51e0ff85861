/**
 * Finds migrations by version, in files and in the journal: `001` and `1` are the same.
 *
 * @module
 */

import { compareVersions } from "./file.ts";
import type { AppliedMigration, Progress } from "./journal.ts";

/** The newest of the applied migrations, by version. */
export function newestOf(
  applied: readonly AppliedMigration[],
): AppliedMigration | undefined {
  let newest: AppliedMigration | undefined;
  for (const row of applied) {
    if (
      newest === undefined || compareVersions(row.version, newest.version) > 0
    ) newest = row;
  }
  return newest;
}

/** Finds what has a version; `001` and `1` are the same. */
export function findVersion<T extends { version: string }>(
  items: readonly T[],
  version: string,
): T | undefined {
  return items.find((item) => item.version === version) ??
    (/^\d+$/.test(version)
      ? items.find((item) => compareVersions(item.version, version) === 0)
      : undefined);
}

/** Says whether the migration in flight has a version. */
export function isInFlight(
  progress: Progress | undefined,
  version: string,
): boolean {
  return progress !== undefined &&
    compareVersions(progress.version, version) === 0;
}

/** Finds items by version, whatever zeros it begins with. */
export class VersionMap<T extends { version: string }> {
  readonly #items: Map<string, T>;

  /** Keeps items by their versions. */
  constructor(items: readonly T[]) {
    this.#items = new Map(items.map((item) => [canonical(item.version), item]));
  }

  /** Says whether an item has the version. */
  has(version: string): boolean {
    return this.#items.has(canonical(version));
  }

  /** The items, one a version. */
  values(): Iterable<T> {
    return this.#items.values();
  }

  /** The item that has the version. */
  get(version: string): T | undefined {
    return this.#items.get(canonical(version));
  }
}

function canonical(version: string): string {
  return version.replace(/^0+(?=.)/, "");
}
