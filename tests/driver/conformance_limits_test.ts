/**
 * How a statement is cancelled and limited, the same for every driver, on the server that tests run on.
 *
 * @module
 */

import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/errors.ts";
import { collect, failure, sessionTest, SEVERAL } from "../support/sessions.ts";

sessionTest(
  "cancels a statement that takes too long, and goes on",
  async (session) => {
    for (const args of [[], ["60"]]) {
      const text = `SELECT pg_sleep(${args.length ? "$1::FLOAT8" : 60})`;
      const error = await failure(session.query(text, args, { timeoutMs: 50 }));
      assertEquals([error.code, error.kind], ["57014", "timeout"]);
      assertEquals(
        error.message,
        "Cannot finish the statement within 50 ms: it was cancelled; raise timeoutMs, or shorten the statement",
      );
      assertEquals(error.statement, text);
      assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
    }
    assertEquals(session.broken, false);
  },
  { on: SEVERAL },
);

sessionTest(
  "cancels a statement whose signal fires, with the signal's reason",
  async (session) => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const { signal } = controller;
    const sleeping = session.query("SELECT pg_sleep(60)", [], { signal });
    controller.abort(reason);
    assertEquals(await assertRejects(() => sleeping), reason);
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
  { on: SEVERAL },
);

sessionTest(
  "runs nothing where the signal has fired before",
  async (session) => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    const rejected = await assertRejects(() =>
      session.query("SET application_name = 'z'", [], { signal })
    );
    assertEquals(rejected, reason);
    const { rows } = await session.query("SHOW application_name");
    assertNotEquals(rows, [["z"]]);
  },
);

sessionTest(
  "refuses a limit that is none, and is free behind that",
  async (session) => {
    for (const signal of [null, {}] as never[]) {
      const refused = [
        () => session.query("SELECT 1", [], { signal }),
        () => collect(session.stream("SELECT 1", [], { signal })),
      ];
      for (const call of refused) {
        await assertRejects(call, ConfigError, "Cannot use the option signal");
        assertEquals(session.busy, false);
      }
    }
    const timeoutMs = Symbol("a time") as never;
    await assertRejects(
      () => session.query("SELECT 1", [], { timeoutMs }),
      TypeError,
    );
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
);

sessionTest(
  "lets no cancel request hit the next statement",
  async (session) => {
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController();
      const { signal } = controller;
      const first = session.query("SELECT pg_sleep(0.002)", [], { signal });
      first.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      controller.abort();
      await first.catch(() => {});
      assertEquals((await session.query("SELECT pg_sleep(0.001)")).rowCount, 1);
    }
  },
  { on: SEVERAL },
);

sessionTest(
  "cancels what is under way when it is asked to",
  async (session) => {
    const sleeping = failure(session.query("SELECT pg_sleep(60)"));
    await session.cancel();
    assertEquals((await sleeping).code, "57014");
    await session.cancel();
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
  { on: SEVERAL },
);

sessionTest(
  "ends a stream with an error when it is cancelled",
  async (session) => {
    const error = await failure((async () => {
      const text = "SELECT * FROM generate_series(1, 100)";
      for await (const _ of session.stream(text, [], { batchSize: 10 })) {
        await session.cancel();
      }
    })());
    assertEquals(error.code, "57014");
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
);
