/**
 * A process that migrates the corpus, for tests that kill it, stop it, or set its clock wrong: what
 * it is to do comes as JSON in the first argument, and it writes its events and its result to
 * standard output, a line of JSON each.
 *
 * @module
 */

import { Database } from "../../src/database/database.ts";
import { Migration } from "../../src/migration/migrator.ts";
import type { MigrationOptions } from "../../src/migration/options.ts";
import { bundle } from "../../src/migration/source.ts";

/** What a runner is to do. */
export interface Order extends Omit<MigrationOptions, "source" | "onEvent"> {
  /** The server's address. */
  url: string;
  /** The migrations. */
  files: { name: string; text: string }[];
  /** What to do. Default: `"migrate"`. */
  action?: "migrate" | "rollback";
  /** How far the process's clock is off, in milliseconds. */
  clockOffMs?: number;
}

/** The last line that a runner writes. */
export interface Result {
  /** How many migrations were applied or undone. */
  count?: number;
  /** Why it failed. */
  error?: string;
}

function setClock(offMs: number): void {
  const now = Date.now;
  const RealDate = Date;
  Date.now = () => now() + offMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args) =>
      args.length === 0
        ? new target(now() + offMs)
        : Reflect.construct(target, args),
  });
}

if (import.meta.main) {
  const order: Order = JSON.parse(Deno.args[0]);
  const { url, files, action = "migrate", clockOffMs = 0, ...options } = order;
  if (clockOffMs !== 0) setClock(clockOffMs);
  const db = new Database({ url });
  const migration = new Migration(db, {
    ...options,
    source: bundle(files),
    onEvent: (event) => console.log(JSON.stringify(event)),
  });
  let result: Result;
  try {
    result = { count: await migration[action]() };
  } catch (error) {
    result = { error: error instanceof Error ? error.message : String(error) };
  }
  await db.close();
  console.log(JSON.stringify(result));
}
