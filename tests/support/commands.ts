/**
 * What tests of the commands run on: migrations of users and pets, a database of their own, and the
 * least that a process is allowed.
 *
 * @module
 */

import { urlOf, withFolder } from "./cli.ts";
import { databaseTest } from "./database.ts";

/** A migration that can be undone. */
export const USERS = `CREATE TABLE users (id INT PRIMARY KEY);
-- @UNDO
DROP TABLE users;
`;
const PETS = `CREATE TABLE pets (id INT PRIMARY KEY);
INSERT INTO pets VALUES (1);
-- @UNDO
DROP TABLE pets;
`;
/** Two migrations that can be undone. */
export const FILES = { "1_create_users.sql": USERS, "2_create_pets.sql": PETS };

/** Registers a test with a fresh database and a folder of files; its commands know both. */
export function commandTest(
  name: string,
  files: Record<string, string>,
  fn: (
    context: { options: string[]; url: string; folder: string },
  ) => Promise<void>,
): void {
  databaseTest(name, (_, fresh) =>
    withFolder(files, async (folder) => {
      const url = urlOf(fresh);
      await fn({ options: ["--url", url, "--dir", folder], url, folder });
    }));
}

/** Durations and times differ from run to run. */
export function withoutTimes(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json, (key, value) => {
    if (key === "durationMs") return typeof value;
    return key === "applied_at" && value !== null ? "a time" : value;
  }));
}

/** What a run says of the first of {@linkcode FILES} as JSON, by {@linkcode withoutTimes}. */
export const APPLIED_USERS = {
  version: "1",
  description: "create users",
  durationMs: "number",
};
/** The same of the second. */
export const APPLIED_PETS = {
  version: "2",
  description: "create pets",
  durationMs: "number",
};

/** The flags that a command with its own database is documented to need. */
export function leastFlags(url: string, folder: string): string[] {
  const { hostname, port } = new URL(url);
  return [
    `--allow-net=${hostname}:${port || 26257}`,
    `--allow-read=${folder}`,
    "--allow-env=DATABASE_URL",
  ];
}
