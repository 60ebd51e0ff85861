/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/**
 * A worker that writes migrations into a folder, beside others that do the same.
 *
 * @module
 */

import { writeMigration } from "../../src/migration/source.ts";

self.addEventListener("message", async (event) => {
  const { folder, description, count, now } = (event as MessageEvent).data;
  const paths: string[] = [];
  for (let i = 0; i < count; i++) {
    const migration = {
      description: `${description} ${i}`,
      forwardSql: "SELECT 1",
    };
    paths.push(await writeMigration(folder, migration, { now: new Date(now) }));
  }
  self.postMessage(paths);
});
