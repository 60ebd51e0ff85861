/**
 * Versions and file names of migrations: how they are read, ordered and made.
 *
 * @module
 */

import { MigrationError } from "../errors.ts";

/** The name of a migration, as read. */
export interface MigrationName {
  /** The digits at the beginning, as written. */
  readonly version: string;
  /** The rest, with spaces. */
  readonly description: string;
}

const MAX_SLUG_LENGTH = 100;

/**
 * Orders two versions as numbers: `"9"` is before `"10"`, and `"001"` is the same as `"1"`.
 *
 * @param a A run of digits, of any length.
 * @param b Another.
 * @returns Less than 0 where `a` comes first, 0 where they are the same, else more than 0.
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) {
    const length = Math.max(a.length, b.length);
    return compareVersions(a.padStart(length, "0"), b.padStart(length, "0"));
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Says whether a file belongs among the migrations: its name ends in `.sql`, in whatever case, and
 * does not begin with a dot.
 *
 * @param name The file's name.
 * @returns Whether it is to be read, or reported.
 */
export function isSqlFile(name: string): boolean {
  return !name.startsWith(".") && /\.sql$/i.test(name);
}

/**
 * Reads a migration's file name.
 *
 * @param name The file's name: `<digits>_<description>.sql`.
 * @returns The version and the description.
 * @throws {MigrationError} A name of another form.
 */
export function parseFileName(name: string): MigrationName {
  const [, version, rest] = /^(\d+)_(.+)\.sql$/s.exec(name) ?? [];
  const description = rest?.replace(/_+/g, " ").trim();
  if (!description) {
    throw new MigrationError(
      `Cannot read the migration "${name}": its name is not of the form <version>_<description>.sql, ` +
        `where the version is digits; rename it, for example to 20230101120000_create_users.sql`,
      { file: name },
    );
  }
  return { version, description };
}

/**
 * Makes a migration's file name.
 *
 * @example
 * ```ts
 * import { migrationFileName } from "./version.ts";
 *
 * migrationFileName("20230101120000", "Create users!"); // "20230101120000_create_users.sql"
 * ```
 *
 * @param version The version, digits.
 * @param description What the migration does; lower-cased, each run of characters other than
 * `a`–`z` and `0`–`9` becomes `_`, and 100 characters are kept.
 * @returns The name.
 * @throws {MigrationError} A description without a letter or digit of ASCII.
 */
export function migrationFileName(
  version: string,
  description: string,
): string {
  const slug = description.toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_/, "")
    .slice(0, MAX_SLUG_LENGTH)
    .replace(/_$/, "");
  if (slug === "") {
    throw new MigrationError(
      `Cannot name a migration "${description}": the description has none of the characters ` +
        "a to z and 0 to 9; describe it in such words",
    );
  }
  return `${version}_${slug}.sql`;
}

function formatTimestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$|\D/g, "");
}

/** The instant of a version of 14 digits; `undefined` where it names none. */
function parseTimestamp(version: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(version);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const isValid = !Number.isNaN(date.getTime()) &&
    formatTimestamp(date) === version;
  return isValid ? date : undefined;
}

/**
 * Makes the next version: the time in UTC to the second, or the first second after every existing
 * version. After a version that is no time it is that number plus one.
 *
 * @param now The time.
 * @param existing The versions that exist.
 * @returns A version after all of them: 14 digits, `YYYYMMDDHHMMSS`, unless one of them is longer.
 */
export function nextVersion(now: Date, existing: readonly string[]): string {
  const version = formatTimestamp(now);
  const last = existing.reduce(
    (a, b) => compareVersions(a, b) < 0 ? b : a,
    "0",
  );
  if (compareVersions(last, version) < 0) return version;
  const time = parseTimestamp(last);
  if (time !== undefined) {
    const next = formatTimestamp(new Date(time.getTime() + 1_000));
    if (next.length === last.length) return next;
  }
  return String(BigInt(last) + 1n).padStart(last.length, "0");
}
