/**
 * What the tests of TLS have in common: the modes that there are, and connections that fail.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import type {
  ConnectionConfig,
  Driver,
  SslMode,
} from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";

/** Every `sslmode`, from the weakest on. */
export const MODES: readonly SslMode[] = [
  "disable",
  "allow",
  "prefer",
  "require",
  "verify-ca",
  "verify-full",
];

/** Gives the error that a connection fails with. */
export async function refusal(
  driver: Driver,
  config: ConnectionConfig,
): Promise<DatabaseError> {
  return await assertRejects(() => driver.connect(config), DatabaseError);
}
