import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type Wire, WireSession } from "../../src/driver/session.ts";
import { DatabaseError } from "../../src/errors.ts";

/** A wire that runs nothing. */
function failingWire(failure: Error): Wire {
  return {
    parameters: {},
    transactionStatus: "idle",
    lost: undefined,
    cancellable: false,
    run: () => Promise.reject(failure),
    cancel: () => Promise.resolve(),
    lose(reason) {
      Object.assign(this, { lost: reason });
    },
    close: () => Promise.resolve(),
  };
}

Deno.test("A session whose driver throws is broken, and frees its caller", async () => {
  const failure = new TypeError("a fault of the driver's");
  const session = new WireSession(failingWire(failure));
  const error = await assertRejects(
    () => session.query("SELECT 1", [], { timeoutMs: 60_000 }),
    DatabaseError,
    "Cannot go on with the session: the driver failed; open another one",
  );
  assertEquals([error.code, session.broken], ["08006", true]);
  assertStrictEquals((error.cause as Error).cause, failure);
  const again = await assertRejects(
    () => session.query("SELECT 1"),
    DatabaseError,
  );
  assertEquals(again.code, "08006");
});
