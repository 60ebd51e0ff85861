/**
 * The same `Database` on `npm:pg`: for Node, Bun, and networks without JSR.
 *
 * @example
 * ```ts
 * import { Database } from "@x/crdb";
 * import { pgDriver } from "@x/crdb/pg";
 *
 * await using db = new Database({ driver: pgDriver() });
 * await db.query`SELECT 1`;
 * ```
 *
 * @module
 */

export { pgDriver } from "./src/driver/pg.ts";
