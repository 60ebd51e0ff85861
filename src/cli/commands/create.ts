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

const FORWARD_TEMPLATE =
  `-- Write the statements below this line, each with a semicolon at its end.
-- While there is none, crdb migrate stops at this file and applies nothing.`;

const UNDO_TEMPLATE =
  `-- Write the statements that take it back below this line. Where nothing can,
-- delete the rest of the file, from the marker on: then rollback refuses.`;

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
    const sql = args.text("sql");
    const undoSql = args.text("undo") ??
      (sql === undefined ? UNDO_TEMPLATE : undefined);
    const path = await write(folder, {
      description: args.parameters.join(" "),
      forwardSql: sql ?? FORWARD_TEMPLATE,
      undoSql,
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
