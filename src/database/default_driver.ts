/**
 * The driver of those who choose none.
 *
 * @module
 */

import type { Driver } from "../driver/driver.ts";

/** Kept, for even of what is loaded another import takes as long as opening a connection. */
let denoPostgres: Driver | undefined;

/** The driver on deno-postgres; it is loaded when the first connection is opened. */
export const DEFAULT_DRIVER: Driver = {
  name: "deno-postgres",
  async connect(config, options) {
    denoPostgres ??= (await import("../driver/deno_postgres.ts"))
      .denoPostgresDriver();
    return await denoPostgres.connect(config, options);
  },
};
