/**
 * Help for tests of programs that use `crdb`: a fresh database a test.
 *
 * @module
 */

export { type FreshDatabase, withDatabase } from "./src/fresh_database.ts";
