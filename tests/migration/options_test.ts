/**
 * What a `Migration` is told, and what of it is refused.
 *
 * @module
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { ConfigError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { server } from "../support/database.ts";

Deno.test("Migration refuses a time to wait that is none", () => {
  const db = new Database({ url: server.url });
  for (const lockTimeoutMs of [NaN, -1, "2s"]) {
    assertThrows(
      () => new Migration(db, { lockTimeoutMs: lockTimeoutMs as number }),
      RangeError,
      `Cannot wait for a lockTimeoutMs of ${lockTimeoutMs}: give a number of milliseconds from 0`,
    );
  }
});

Deno.test("a table of too many parts is refused by the option's name", async () => {
  const { Database } = await import("../../src/database/database.ts");
  await using db = new Database({ url: server.url });
  const error = assertThrows(
    () => new Migration(db, { table: "a.b.c.d" }),
    ConfigError,
  );
  assertEquals(
    error.message,
    'Cannot use "a.b.c.d" as the option table: the name "a.b.c.d" has 4 parts; give at most database.schema.table',
  );
});

Deno.test("an option by another name is refused, and never passed over", async () => {
  const { Database } = await import("../../src/database/database.ts");
  await using db = new Database({ url: server.url });
  const make = (options: object) => new Migration(db, options);
  assertEquals(
    assertThrows(() => make({ migrationDir: "x" }), ConfigError).message,
    'Cannot use the option "migrationDir": unknown option; did you mean "migrationsDir"?',
  );
  const migration = make({ source: bundle([]) });
  const target = { to: "1" } as object;
  assertEquals(
    (await assertRejects(() => migration.migrate(target), ConfigError)).message,
    'Cannot use the option "to": unknown option; use only targetVersion, dryRun, signal, cancelSignal',
  );
  const count = 2 as unknown as object;
  assertEquals(
    (await assertRejects(() => migration.rollback(count), ConfigError)).message,
    "Cannot use a number as options: give an object, such as { count: … }",
  );
  const number = { targetVersion: 5 } as object;
  for (const run of ["migrate", "rollback"] as const) {
    assertEquals(
      (await assertRejects(() => migration[run](number), TypeError)).message,
      'Cannot use 5 as the targetVersion: a version is text; give "5"',
    );
  }
});

Deno.test("a signal that is none is refused before anything is read", async () => {
  await using db = new Database({ url: server.url });
  const load = () => Promise.reject(new Error("it was read"));
  const migration = new Migration(db, { source: { load } });
  for (const name of ["signal", "cancelSignal"]) {
    const options = { [name]: null } as object;
    for (const run of ["migrate", "rollback", "redo", "reset"] as const) {
      await assertRejects(
        () => migration[run](options),
        ConfigError,
        `Cannot use the option ${name}: it is no AbortSignal; give an AbortController's, or leave it out`,
      );
    }
  }
  await assertRejects(
    () => migration.baseline("1", { signal: null as never }),
    ConfigError,
    "it is no AbortSignal",
  );
});

Deno.test("a lease without an end is refused", () => {
  const db = new Database({ url: server.url });
  assertThrows(
    () => new Migration(db, { leaseMs: Infinity }),
    RangeError,
    "Cannot use a lease of Infinity ms: it has to end; give 86400000 or less",
  );
});

Deno.test("a lease below three seconds is refused", async () => {
  await using db = new Database({ url: server.url });
  let message = "";
  try {
    new Migration(db, { leaseMs: 500 });
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(
    message,
    "Cannot use a lease of 500 ms: clocks of nodes differ; give 3000 or more",
  );
});

Deno.test("a Migration with a source and no folder creates no file that it would never load", async () => {
  await using db = new Database();
  const migration = new Migration(db, { source: bundle([]) });
  await assertRejects(
    () => migration.createMigration("a", "SELECT 1"),
    ConfigError,
    "Cannot create a migration: the migrations come from a source, which would not have it; name its folder in migrationsDir",
  );
});

Deno.test("isApplied() refuses a version that is no text", async () => {
  await using db = new Database();
  await assertRejects(
    () => new Migration(db).isApplied(1 as never),
    TypeError,
    'Cannot use 1 as the version: a version is text; give "1"',
  );
});
