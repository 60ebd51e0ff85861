/**
 * A client behind a proxy that loses or refuses what a transaction sends.
 *
 * @module
 */

import type { TransactionOptions } from "../../src/database/transaction_options.ts";
import { Database } from "../../src/database/database.ts";
import { databaseTest, server } from "./database.ts";
import { type Action, faultProxy, type ProxyFrame } from "./fault_proxy.ts";

/** Registers a test with a client behind a proxy, on a table `t (id)`, and one that goes straight. */
export function proxyTest(
  name: string,
  onFrame: (frame: ProxyFrame) => Action | undefined,
  fn: (db: Database, straight: Database) => Promise<void>,
): void {
  databaseTest(name, async (straight, { options }) => {
    await straight.createTable("t", { id: "INT PRIMARY KEY" });
    const { hostname: host, port } = new URL(server.url);
    await using proxy = await faultProxy({
      upstream: { host, port: Number(port) },
      onFrame,
    });
    await using db = new Database({
      ...options,
      url: proxy.through(server.url),
    });
    await fn(db, straight);
  });
}

/** Does something to the first frame that fits, and lets all others pass. */
export function once(
  fits: (frame: ProxyFrame) => boolean,
  action: Action,
): (frame: ProxyFrame) => Action | undefined {
  let done = false;
  return (frame) => {
    if (done || !fits(frame)) return;
    done = true;
    return action;
  };
}

/** Whether a frame asks for the commit of a transaction. */
export const isCommit = ({ direction, text }: ProxyFrame) =>
  direction === "client" && text === "COMMIT";
/** Whether a frame inserts a row into `t`. */
export const isInsert = ({ direction, text }: ProxyFrame) =>
  direction === "client" && text?.includes('INTO "t"') === true;

/** Inserts a row, and counts the attempts. */
export async function insertOne(
  db: Database,
  options: TransactionOptions = {},
): Promise<number> {
  let attempts = 0;
  return await db.transaction(async (tx) => {
    attempts++;
    await tx.insert("t", { id: 1 });
    return attempts;
  }, options);
}
