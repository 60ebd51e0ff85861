/**
 * `crdb create`: a new migration.
 *
 * @module
 */

import { ConfigError, MigrationError } from "../../errors.ts";
import { type NewMigration, writeMigration } from "../../migration/source.ts";
import type { Command } from "../command.ts";
import { folderOf } from "../connection.ts";
import { assureNeeds, reading, writing } from "../permissions.ts";

/** Makes a migration's file and prints its path. */
export const create: Command = {
  name: "create",
  summary: "make a migration's file and print its path",
  parameters: ["DESCRIPTION…"],
  options: [
    { name: "sql", value: "SQL", summary: "the statements; else a template" },
    { name: "undo", value: "SQL", summary: "the statements that undo them" },
  ],
  async run({ args }) {
    const folder = folderOf(args);
    assureNeeds([reading(folder), writing(folder)]);
    const path = await write(folder, {
      description: args.parameters.join(" "),
      forwardSql: args.text("sql"),
      undoSql: args.text("undo"),
    });
    return { text: path, data: { path } };
  },
};

async function write(folder: string, migration: NewMigration): Promise<string> {
  try {
    return await writeMigration(folder, migration);
  } catch (error) {
    const isUsage = error instanceof MigrationError && error.file === undefined;
    if (!isUsage) throw error;
    throw new ConfigError(error.message, { cause: error });
  }
}
