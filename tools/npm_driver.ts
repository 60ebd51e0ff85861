/**
 * Stands where the deno-postgres adapter is, in npm mode: a `Database` that names no driver runs
 * on `npm:pg`.
 *
 * @module
 */

export { pgDriver as denoPostgresDriver } from "../src/driver/pg.ts";
