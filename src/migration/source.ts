/**
 * Where migrations come from: a folder of files, or texts that a program carries with it. New ones
 * are written into a folder here.
 *
 * @module
 */

import { fromFileUrl, join, resolve } from "@std/path";
import { MigrationError } from "../errors.ts";
import {
  formatMigration,
  isSqlFile,
  type MigrationEntry,
  migrationFileName,
  nextVersion,
} from "./file.ts";

/** Gives the migrations' names and texts. */
export interface MigrationSource {
  /** Reads them all, in any order; one that can't be read has its error in the place of a text. */
  load(): Promise<MigrationEntry[]>;
}

/** The offset of the first byte that does not belong to a character in UTF-8. */
function firstBadByte(bytes: Uint8Array): number {
  const decodes = (end: number): string | undefined => {
    try {
      const decoder = new TextDecoder("utf-8", {
        fatal: true,
        ignoreBOM: true,
      });
      return decoder.decode(bytes.subarray(0, end), { stream: true });
    } catch {
      return undefined;
    }
  };
  let [good, bad] = [0, bytes.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decodes(middle) === undefined) bad = middle;
    else good = middle;
  }
  return new TextEncoder().encode(decodes(good)).length;
}

/**
 * Reads a text, strictly: bytes that are not UTF-8 are an error. Nobody else has a turn while a file is
 * read, for that takes a quarter of the time: 10,000 small ones are there in 50 ms.
 */
function readText(path: string): string {
  const text = Deno.readTextFileSync(path);
  if (!text.includes("\ufffd")) return text;
  // The runtime's own way is faster, but puts this character in place of what it can't decode.
  const bytes = Deno.readFileSync(path);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes,
    );
  } catch (cause) {
    const offset = firstBadByte(bytes);
    throw new MigrationError(
      `Cannot read the migration "${path}": the byte at offset ${offset} is not UTF-8; ` +
        "save the file as UTF-8",
      { file: path, cause },
    );
  }
}

/** Meanwhile a connection may be opened, whose steps take turns with the reading. */
const FILES_A_TURN = 100;

/** Waits for what has to be waited for: without that the runtime doesn't look at the network. */
async function othersTurn(path: string): Promise<void> {
  await Deno.lstat(path).catch(() => {});
}

/** What to do about a failure of the file system. */
const REMEDIES: readonly [new (message: string) => Error, string][] = [
  [Deno.errors.NotADirectory, "it is not a folder; name a folder"],
  [
    Deno.errors.PermissionDenied,
    "the system does not permit it; change the permissions of the file system",
  ],
];

/** The error for a folder or file that can't be used; a missing permission is thrown as it is. */
function ioError(
  action: string,
  path: string,
  cause: unknown,
  ifMissing = "create it, or name another folder",
): unknown {
  if (cause instanceof Deno.errors.NotCapable) return cause;
  const reason = cause instanceof Deno.errors.NotFound
    ? `it does not exist; ${ifMissing}`
    : REMEDIES.find(([kind]) => cause instanceof kind)?.[1] ??
      `${cause instanceof Error ? cause.message : cause}; mend that`;
  return new MigrationError(`Cannot ${action} "${path}": ${reason}`, {
    file: path,
    cause,
  });
}

function listFiles(folder: string): string[] {
  const names: string[] = [];
  try {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (!isDirectory) names.push(name);
    }
  } catch (cause) {
    throw ioError("read the migrations folder", resolve(folder), cause);
  }
  return names;
}

function readEntry(folder: string, name: string): MigrationEntry {
  const path = join(folder, name);
  try {
    return { name, path, text: readText(path) };
  } catch (cause) {
    const remedy = "create it, or mend the link that names it";
    const error = cause instanceof MigrationError
      ? cause
      : ioError("read the migration", path, cause, remedy);
    // A permission is missing for the others, too.
    if (!(error instanceof MigrationError)) throw error;
    return { name, path, text: "", error };
  }
}

function folderPath(folder: string | URL): string {
  return folder instanceof URL ? fromFileUrl(folder) : folder;
}

/**
 * Takes migrations from the files of a folder that end in `.sql`; folders in it and names that
 * begin with a dot are passed over.
 *
 * @example
 * ```ts
 * import { directory } from "./source.ts";
 *
 * const source = directory(new URL("./migrations/", import.meta.url));
 * ```
 *
 * @param folder The folder: a path, or a `file:` URL.
 * @returns The source. Its `load()` rejects with a `MigrationError` where the folder can't be read,
 * and with `Deno.errors.NotCapable` where Deno's permission to read is missing. A file that can't be
 * read, or is not UTF-8, is an entry with an error.
 */
export function directory(folder: string | URL): MigrationSource {
  const path = folderPath(folder);
  return {
    async load() {
      const names = listFiles(path).filter(isSqlFile).sort();
      const entries: MigrationEntry[] = [];
      for (const [index, name] of names.entries()) {
        if (index % FILES_A_TURN === 0) await othersTurn(path);
        entries.push(readEntry(path, name));
      }
      return entries;
    },
  };
}

/**
 * Takes migrations from texts, such as those that a program imports.
 *
 * @example
 * ```ts
 * import { bundle } from "./source.ts";
 *
 * const source = bundle([
 *   { name: "1_create_users.sql", text: "CREATE TABLE users (id UUID PRIMARY KEY)" },
 * ]);
 * ```
 *
 * @param entries The files' names and texts.
 * @returns The source.
 */
export function bundle(
  entries: readonly { name: string; text: string }[],
): MigrationSource {
  return { load: () => Promise.resolve([...entries]) };
}

/** A migration to be written. */
export interface NewMigration {
  /** What the migration does; the file is named after it. */
  readonly description: string;
  /** The forward statements. Default: a file that is to be filled in. */
  readonly forwardSql?: string;
  /** The undo statements. Default: none, and the migration can't be rolled back. */
  readonly undoSql?: string;
}

/** The name of the file that holds a version for its writer until the migration is there. */
function reservation(version: string): string {
  return `.${version}.new`;
}

/** The versions that a folder's migrations have and that are being written. */
function takenVersions(names: readonly string[]): string[] {
  return names.map((name) => /^(?:\.(?=\d+\.new$))?(\d+)[._]/.exec(name)?.[1])
    .filter((version) => version !== undefined);
}

/**
 * Reserves the next version in a folder with a file of its own, since two writers that share a
 * second have different file names and would not collide.
 */
async function reserveVersion(folder: string, now: Date): Promise<string> {
  while (true) {
    const version = nextVersion(now, takenVersions(listFiles(folder)));
    const path = join(folder, reservation(version));
    try {
      await Deno.writeFile(path, new Uint8Array(), { createNew: true });
    } catch (cause) {
      if (cause instanceof Deno.errors.AlreadyExists) continue;
      throw ioError("create a migration in", resolve(folder), cause);
    }
    // Another writer may have been through with this version before it was reserved here.
    const names = listFiles(folder);
    const others = names.filter((name) => name !== reservation(version));
    if (!takenVersions(others).includes(version)) return version;
    await Deno.remove(path);
  }
}

async function flush(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.sync();
}

/**
 * Writes a new migration into a folder, which is made where it is missing. Writers in the same
 * second, in one or several processes, get different versions, and nobody reads a file half
 * written.
 *
 * @param folder The folder: a path, or a `file:` URL.
 * @param migration What it does, and its SQL.
 * @param options The time that the version tells. Default: now.
 * @returns The new file's path: the folder as given, and the name.
 * @throws {MigrationError} SQL that can't be read, a description without letters, or a folder that
 * can't be written.
 */
export async function writeMigration(
  folder: string | URL,
  migration: NewMigration,
  options: { now?: Date } = {},
): Promise<string> {
  const { description, forwardSql, undoSql } = migration;
  const { now = new Date() } = options;
  const directory = folderPath(folder);
  const text = formatMigration(description, forwardSql, undoSql);
  // A description that makes no name is refused before anything is made on disk.
  migrationFileName("0", description);
  try {
    await Deno.mkdir(directory, { recursive: true });
  } catch (cause) {
    throw ioError("make the migrations folder", resolve(directory), cause);
  }
  const version = await reserveVersion(directory, now);
  const draft = join(directory, reservation(version));
  const path = join(directory, migrationFileName(version, description));
  try {
    await Deno.writeTextFile(draft, text);
    await flush(draft);
    await Deno.rename(draft, path);
  } catch (cause) {
    await Deno.remove(draft).catch(() => {});
    throw ioError("write the migration", path, cause);
  }
  return path;
}
