/**
 * Opens a session with `pgDriver()` and prints what came of it, as JSON. The session stays open: the
 * process has to end by itself. Run by `tests/driver/pg_test.ts` with few permissions.
 *
 * @module
 */

import process from "node:process";
import { pgDriver } from "../../src/driver/pg.ts";

const [host, port] = Deno.args;
const { env } = process;
try {
  const session = await pgDriver().connect({
    host,
    port: Number(port),
    database: "db",
    user: "root",
    applicationName: "",
    sessionSettings: {},
    tls: { mode: "disable" },
    connectTimeoutMs: 5_000,
  });
  const { rows } = await session.query("SELECT $1::TEXT", ["x"]);
  console.log(JSON.stringify({ rows, sameEnv: process.env === env }));
} catch (error) {
  const { name, message } = error as Error;
  console.log(JSON.stringify({ name, message }));
}
