/**
 * Sessions of each driver on the server that tests run on.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import { resolveConfig } from "../../src/driver/config.ts";
import type { RowBatch, Session } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import { server, type ServerKind } from "./database.ts";
import { driverTest } from "./drivers.ts";

/** The servers that take several sessions at once. */
export const SEVERAL: ServerKind[] = ["cockroachdb", "postgresql"];
/** How the server that tests run on is reached. */
export const config = resolveConfig({ url: server.url });

/** Registers a test with a session of each driver. */
export function sessionTest(
  name: string,
  fn: (session: Session) => Promise<void>,
  options: { on?: ServerKind[]; ignore?: string } = {},
): void {
  const { on = [...SEVERAL, "pglite"] } = options;
  const ignore = options.ignore ??
    (on.includes(server.kind)
      ? undefined
      : `it needs ${on.join(" or ")}, this is ${server.kind}`);
  driverTest(name, async (driver) => {
    const session = await driver.connect(config);
    try {
      await fn(session);
    } finally {
      await session.close();
    }
  }, { ignore });
}

/** Runs a test on a table of its own. */
export async function withTable(
  session: Session,
  options: { columns: string; fn: (table: string) => Promise<void> },
): Promise<void> {
  const table = `conformance_${crypto.randomUUID().replaceAll("-", "")}`;
  await session.query(`CREATE TABLE ${table} (${options.columns})`);
  await options.fn(table);
  await session.query(`DROP TABLE ${table}`);
}

/** Gives the error that a call fails with. */
export function failure(promise: Promise<unknown>): Promise<DatabaseError> {
  return assertRejects(() => promise, DatabaseError);
}

/** Gives the SQLSTATE that a call fails with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, DatabaseError)).code;
}

/** Reads a stream to its end. */
export async function collect(
  batches: AsyncIterable<RowBatch>,
): Promise<RowBatch[]> {
  return await Array.fromAsync(batches);
}
