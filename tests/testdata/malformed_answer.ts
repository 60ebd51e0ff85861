/**
 * Opens a session and runs a statement, on a server that may answer anything, and prints the code of
 * the error. Run by `tests/driver/malformed_test.ts` in a process of its own, which may have to be
 * killed.
 *
 * @module
 */

import { DatabaseError } from "../../src/errors.ts";
import { drivers } from "../support/drivers.ts";
import { loopback } from "../support/scripted_server.ts";

const [name, port] = Deno.args;
const { driver } = drivers.find(({ driver }) => driver.name === name)!;
try {
  const session = await driver.connect(loopback(Number(port)));
  await session.query("SELECT 1");
} catch (error) {
  if (!(error instanceof DatabaseError)) throw error;
  console.log(error.code);
}
