/**
 * Streams a million rows of ten columns, and prints by how many MiB the process has grown at most, as
 * JSON. Run by `tests/database/stream_memory_test.ts`: what other tests leave would be counted, too.
 *
 * @module
 */

import { Database } from "../../src/database/database.ts";
import { pgDriver } from "../../src/driver/pg.ts";

const [driver, batchSize] = Deno.args;
const text = `SELECT g AS a, 'row number ' || g AS b, g * 2 AS c, g::TEXT AS d,
  g % 7 AS e, 'x' || g AS f, g + 1 AS h, g::FLOAT8 AS i, g % 2 = 0 AS j, 'same' AS k
  FROM generate_series(1, 1000000) AS g`;
await using db = new Database({
  url: Deno.env.get("DATABASE_URL"),
  driver: driver === "pg" ? pgDriver() : undefined,
});
await db.queryOne("SELECT 1 AS one");
const before = Deno.memoryUsage().rss;
let [count, most] = [0, 0];
for await (const _ of db.stream(text, [], { batchSize: Number(batchSize) })) {
  if (++count % 1_000 === 0) most = Math.max(most, Deno.memoryUsage().rss);
}
console.log(JSON.stringify({ count, grownMiB: (most - before) / 1024 ** 2 }));
