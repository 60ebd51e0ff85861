/**
 * What every call refuses before it sends anything: options, limits and signals that have fired.
 *
 * @module
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import type { QueryOptions } from "../../src/database/limits.ts";
import { Table } from "../../src/database/table.ts";
import { Transaction } from "../../src/database/transaction.ts";
import { ConfigError } from "../../src/errors.ts";
import {
  NAME_CALLS,
  OWN,
  ROW_CALLS,
  SHARED,
  TABLE_CALLS,
} from "../support/calls.ts";
import { FakeDriver } from "../support/fake_driver.ts";

/** Methods that send nothing, or have options of their own. */
const OTHERS = [
  ...["constructor", "run", "runStream", "types", "config"],
  ...["table", "transaction", "runInTransaction", "close"],
];

function methodsOf({ prototype }: { prototype: object }): string[] {
  const names: string[] = [];
  for (
    let at = prototype;
    at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    names.push(...Object.getOwnPropertyNames(at));
  }
  return [...new Set(names)].filter((name) => !OTHERS.includes(name)).sort();
}

Deno.test("the calls here are all that Database, Transaction and Table have", () => {
  const shared = { ...ROW_CALLS, ...NAME_CALLS };
  const own = { ...shared, ...OWN };
  assertEquals(methodsOf(Transaction), Object.keys(shared).sort());
  assertEquals(methodsOf(Database), Object.keys(own).sort());
  assertEquals(methodsOf(Table), Object.keys(TABLE_CALLS).sort());
});

/** Makes every call, on a database and in a transaction; none may send anything. */
async function refuseAll(
  options: QueryOptions,
  refused: (call: () => Promise<unknown>, name: string) => Promise<unknown>,
): Promise<void> {
  const driver = new FakeDriver();
  await using db = new Database({ driver });
  const all = Object.entries({ ...SHARED, ...OWN });
  for (const [name, call] of all) {
    await refused(async () => await call(db, options), name);
  }
  assertEquals(driver.attempts, 0);
  await db.transaction(async (tx) => {
    for (const [name, call] of Object.entries(SHARED)) {
      await refused(async () => await call(tx, options), `tx.${name}`);
    }
  });
  assertEquals(driver.sessions[0].statements, [
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "COMMIT",
  ]);
}

Deno.test("every call rejects with the reason of a signal that has fired, and sends nothing", async () => {
  const reason = new Error("not wanted any more");
  const signal = AbortSignal.abort(reason);
  await refuseAll({ signal }, async (call, name) => {
    assertEquals(await call().catch((error) => error), reason, name);
  });
});

Deno.test("every call refuses options that it doesn't know, and sends nothing", async () => {
  await refuseAll({ signall: null } as QueryOptions, async (call, name) => {
    await assertRejects(
      call,
      ConfigError,
      'Cannot use the option "signall": unknown option; did you mean "signal"?',
      name,
    );
  });
  await using db = new Database({ driver: new FakeDriver() });
  const wrong = { signall: null } as never;
  const message = 'Cannot use the option "signall": unknown option';
  assertThrows(() => db.table("t", wrong), ConfigError, message);
  await assertRejects(() => db.close(wrong), ConfigError, message);
  await assertRejects(
    () => db.transaction(() => Promise.resolve(), wrong),
    ConfigError,
    message,
  );
});

Deno.test("every call refuses a time limit that is none, and sends nothing", async () => {
  await refuseAll({ timeoutMs: 0 }, async (call, name) => {
    await assertRejects(
      call,
      ConfigError,
      "Cannot use timeoutMs 0: give a number of milliseconds above 0",
      name,
    );
  });
});

Deno.test("every call refuses a signal that is none, and sends nothing", async () => {
  const message =
    "Cannot use the option signal: it is no AbortSignal; give an AbortController's, or leave it out";
  for (const signal of [null, {}, new AbortController()] as never[]) {
    await refuseAll({ signal }, async (call, name) => {
      await assertRejects(call, ConfigError, message, name);
    });
    const driver = new FakeDriver();
    await using db = new Database({ driver });
    for (const token of [undefined, "a"]) {
      await assertRejects(
        () => db.transaction(() => Promise.resolve(), { signal, token }),
        ConfigError,
        message,
      );
    }
    assertEquals(driver.attempts, 0);
  }
});

Deno.test("Table's calls refuse what belongs to other calls", async () => {
  await using db = new Database({ driver: new FakeDriver() });
  const table = db.table("t");
  const cases: [string, () => Promise<unknown>][] = [
    ["limit", () => table.read(1, { limit: 1 } as never)],
    ["where", () => table.exists(1, { where: {} } as never)],
    ["all", () => table.update(1, { n: 1 }, { all: true } as never)],
    ["all", () => table.delete(1, { all: true } as never)],
    ["returning", () => table.batchCreate([], { returning: true } as never)],
    ["key", () => table.batchUpdate([], { key: "n" } as never)],
    ["key", () => table.batchDelete([], { key: "n" } as never)],
    ["key", () => table.pages({ key: "n" } as never).next()],
  ];
  for (const [name, call] of cases) {
    await assertRejects(call, ConfigError, `Cannot use the option "${name}"`);
  }
});

Deno.test("Database.transaction() with a token sends nothing where its signal has fired", async () => {
  const driver = new FakeDriver();
  await using db = new Database({ driver });
  const reason = new Error("not wanted any more");
  const error = await assertRejects(() =>
    db.transaction(() => Promise.resolve(), {
      signal: AbortSignal.abort(reason),
      token: "a",
    })
  );
  assertEquals(error, reason);
  assertEquals(driver.attempts, 0);
});
