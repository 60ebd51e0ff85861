/**
 * Tests on the server that the ladder found: `databaseTest()` registers one, with a fresh database,
 * or ignores it with the reason where the server isn't of the kind that it needs.
 *
 * @module
 */

import { Database } from "../../src/database/database.ts";
import { type FreshDatabase, withDatabase } from "../../src/fresh_database.ts";
import { climb, type Rung } from "./ladder.ts";

/** What a server can be: PGlite has one session only. */
export type ServerKind = "cockroachdb" | "postgresql" | "pglite";

/** The server that tests run on. */
export interface TestServer {
  /** Its address. */
  readonly url: string;
  /** What it is. */
  readonly kind: ServerKind;
}

/** What a test needs, and how it runs. */
export interface DatabaseTestOptions {
  /** The kinds of server that it can run on. Default: all but PGlite, whose one session is shared. */
  on?: readonly ServerKind[];
  /** Ignores the test for another reason, which is named. */
  ignore?: string;
}

/** For a test that any server will do for, PGlite with its one session too. */
export const EVERYWHERE = {
  on: ["cockroachdb", "postgresql", "pglite"],
} as const;

/** The server that tests run on: the task's, or one that is started for this test file alone. */
export const server: TestServer = await find();

async function find(): Promise<TestServer> {
  let rung = Deno.env.get("CRDB_TEST_RUNG") as Rung | undefined;
  let url = Deno.env.get("DATABASE_URL");
  if (url === undefined) {
    const started = await climb();
    ({ rung, url } = started);
    Deno.test.afterAll(() => started.stop());
  }
  if (rung === "pglite") return { url, kind: "pglite" };
  await using db = new Database({ url });
  return { url, kind: (await db.server()).kind };
}

/** Registers a test with a fresh database. */
export function databaseTest(
  name: string,
  fn: (db: Database, fresh: FreshDatabase) => Promise<void>,
  options: DatabaseTestOptions = {},
): void {
  const { on = ["cockroachdb", "postgresql"], ignore } = options;
  const reason = ignore ??
    (on.includes(server.kind)
      ? undefined
      : `it needs ${on.join(" or ")}, this is ${server.kind}`);
  Deno.test({
    name: reason === undefined ? name : `${name} [ignored: ${reason}]`,
    ignore: reason !== undefined,
    fn: () => withDatabase(fn, { url: server.url }),
  });
}
