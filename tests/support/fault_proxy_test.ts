/**
 * What the proxy does to the frames that pass, before a scripted server.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import type { Session } from "../../src/driver/driver.ts";
import { pgDriver } from "../../src/driver/pg.ts";
import { DatabaseError } from "../../src/errors.ts";
import { type Action, faultProxy, type ProxyFrame } from "./fault_proxy.ts";
import {
  answer,
  expect,
  logIn,
  loopback,
  run,
  scriptedServer,
  send,
  skipTo,
} from "./scripted_server.ts";
import { codeOf } from "./sessions.ts";
import {
  commandComplete,
  concat,
  errorResponse,
  readyForQuery,
} from "./wire.ts";

const ok = (tag: string, status: "I" | "T" | "E" = "I") =>
  concat([commandComplete(tag), readyForQuery(status)]);

interface Seen {
  /** What the proxy saw. */
  log: string[];
  /** What the server received, a list for each connection. */
  received: string[][];
}

/** Runs a test on a session through a proxy before a scripted server. */
async function through(
  script: Parameters<typeof scriptedServer>[0],
  options: {
    onFrame: (frame: ProxyFrame) => Action | undefined;
    fn: (session: Session, seen: Seen) => Promise<void>;
  },
): Promise<void> {
  await using server = await scriptedServer([logIn(), ...script]);
  const upstream = { host: "127.0.0.1", port: server.port };
  const { onFrame, fn } = options;
  await using proxy = await faultProxy({ upstream, onFrame });
  const session = await pgDriver().connect(loopback(proxy.port));
  await fn(session, { log: proxy.log, received: server.received });
  await session.close();
}

Deno.test("faultProxy() hands frames on and logs each of them", async () => {
  await through([answer("1")], {
    onFrame: () => "pass",
    fn: async (session, { log }) => {
      assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
      assertEquals(log, [
        "1 client StartupMessage",
        "1 server AuthenticationRequest",
        "1 server ParameterStatus",
        "1 server BackendKeyData",
        "1 server ReadyForQuery",
        "1 client Query SELECT 1",
        "1 server RowDescription",
        "1 server DataRow",
        "1 server CommandComplete",
        "1 server ReadyForQuery",
      ]);
    },
  });
});

for (const cut of ["before", "inside", "after"] as const) {
  Deno.test(`faultProxy() cuts ${cut} a frame of the server's`, async () => {
    await through([answer("1")], {
      onFrame: ({ type }) => type === "CommandComplete" ? { cut } : "pass",
      fn: async (session) => {
        assertEquals(await codeOf(session.query("SELECT 1")), "08006");
      },
    });
  });
}

Deno.test("faultProxy() cuts behind a statement, which the server still runs", async () => {
  let ran = false;
  await through([
    expect("Query"),
    run(() => void (ran = true)),
    send(ok("COMMIT")),
  ], {
    onFrame: ({ text }) => text === "COMMIT" ? { cut: "after" } : "pass",
    fn: async (session) => {
      assertEquals(await codeOf(session.query("COMMIT")), "08006");
      assertEquals(ran, true);
    },
  });
});

Deno.test("faultProxy() cuts before a statement, which the server never sees", async () => {
  await through([], {
    onFrame: ({ text }) => text === "COMMIT" ? { cut: "before" } : "pass",
    fn: async (session, { received }) => {
      assertEquals(await codeOf(session.query("COMMIT")), "08006");
      assertEquals(received, [["StartupMessage"]]);
    },
  });
});

Deno.test("faultProxy() cuts all connections behind a statement, which the server still runs", async () => {
  let ran = false;
  const script = [
    expect("Query"),
    run(() => void (ran = true)),
    send(ok("COMMIT")),
  ];
  await using server = await scriptedServer([logIn(), ...script]);
  await using proxy = await faultProxy({
    upstream: { host: "127.0.0.1", port: server.port },
    onFrame: ({ text }) => {
      if (text !== "COMMIT") return;
      queueMicrotask(() => proxy.cutAll());
      return { cut: "after" };
    },
  });
  const session = await pgDriver().connect(loopback(proxy.port));
  assertEquals(await codeOf(session.query("COMMIT")), "08006");
  assertEquals([ran, server.received], [true, [["StartupMessage", "Query"]]]);
  await session.close();
});

Deno.test("faultProxy() resets a connection", async () => {
  await through([], {
    onFrame: ({ type }) => type === "Query" ? "reset" : "pass",
    fn: async (session) => {
      assertEquals(await codeOf(session.query("SELECT 1")), "08006");
    },
  });
});

Deno.test("faultProxy() hands a frame on one byte at a time", async () => {
  await through([answer("one byte at a time")], {
    onFrame: ({ type }) => type === "DataRow" ? "trickle" : "pass",
    fn: async (session) => {
      const { rows } = await session.query("SELECT 1");
      assertEquals(rows, [["one byte at a time"]]);
    },
  });
});

Deno.test("faultProxy() swallows everything on a half-open connection", async () => {
  await through([answer("1")], {
    onFrame: ({ type }) => type === "DataRow" ? "half-open" : "pass",
    fn: async (session, { log }) => {
      const lost = codeOf(session.query("SELECT 1"));
      while (!log.includes("1 server DataRow")) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await session.close();
      assertEquals(await lost, "08003");
      assertEquals(log.at(-1), "1 server DataRow");
    },
  });
});

Deno.test("faultProxy() holds a frame back for a time", async () => {
  await through([answer("1")], {
    onFrame: ({ type }) => type === "Query" ? { delayMs: 50 } : "pass",
    fn: async (session) => {
      const start = performance.now();
      await session.query("SELECT 1");
      assertEquals(performance.now() - start >= 49, true);
    },
  });
});

Deno.test("faultProxy() replaces the error of a statement that it makes fail", async () => {
  const failed = concat([
    errorResponse({ code: "42601", message: "syntax error" }),
    readyForQuery("E"),
  ]);
  await through([
    expect("Query"),
    send(failed),
    expect("Query"),
    send(ok("ROLLBACK")),
  ], {
    onFrame: ({ text }) =>
      text?.startsWith("INSERT")
        ? {
          error: {
            code: "40001",
            message: "restart transaction",
            hint: "again",
          },
          notices: [{ code: "00000", message: "job 7" }],
        }
        : "pass",
    fn: async (session) => {
      const error = await assertRejects(
        () => session.query("INSERT INTO t VALUES (1)"),
        DatabaseError,
        "restart transaction",
      );
      assertEquals([error.code, error.hint], ["40001", "again"]);
      assertEquals(error.notices.map(({ message }) => message), ["job 7"]);
      assertEquals(session.transactionStatus, "failed");
      await session.query("ROLLBACK");
      assertEquals(session.transactionStatus, "idle");
    },
  });
});

Deno.test("faultProxy() rolls back where a COMMIT is to fail", async () => {
  await through([expect("Query"), send(ok("ROLLBACK"))], {
    onFrame: ({ text }) =>
      text === "COMMIT"
        ? { error: { code: "40001", message: "restart transaction" } }
        : "pass",
    fn: async (session) => {
      assertEquals(await codeOf(session.query("COMMIT")), "40001");
      assertEquals(session.transactionStatus, "idle");
    },
  });
});

Deno.test("faultProxy() lets a statement run and makes its answer an error", async () => {
  await through([skipTo("Query"), send(ok("COMMIT"))], {
    onFrame: ({ text }) =>
      text === "COMMIT"
        ? { errorAfter: { code: "40003", message: "result is ambiguous" } }
        : "pass",
    fn: async (session) => {
      assertEquals(await codeOf(session.query("COMMIT")), "40003");
      assertEquals(session.broken, false);
    },
  });
});

Deno.test("faultProxy() ends the connection after a fatal error", async () => {
  await through([], {
    onFrame: ({ type }) =>
      type === "Query"
        ? { error: { severity: "FATAL", code: "57P01", message: "draining" } }
        : "pass",
    fn: async (session) => {
      assertEquals(await codeOf(session.query("SELECT 1")), "57P01");
      assertEquals(session.broken, true);
    },
  });
});

Deno.test("faultProxy() puts another statement in the place of one", async () => {
  let seen: string | undefined;
  await through([
    async (peer) => {
      const frame = await peer.next();
      seen = new TextDecoder().decode(frame?.body);
      await send(ok("SELECT 0"))(peer);
    },
  ], {
    onFrame: ({ text }) =>
      text === "SHOW JOBS" ? { rewrite: "SELECT 7" } : "pass",
    fn: async (session) => {
      await session.query("SHOW JOBS");
      assertEquals(seen, "SELECT 7\0");
    },
  });
});

Deno.test("faultProxy() holds all frames back while it pauses", async () => {
  await using server = await scriptedServer([logIn(), answer("1")]);
  const upstream = { host: "127.0.0.1", port: server.port };
  await using proxy = await faultProxy({ upstream });
  const session = await pgDriver().connect(loopback(proxy.port));
  proxy.pause();
  proxy.reset();
  let answered = false;
  const result = session.query("SELECT 1").then(({ rows }) => {
    answered = true;
    return rows;
  });
  while (proxy.log.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals([answered, server.received], [false, [["StartupMessage"]]]);
  proxy.resume();
  assertEquals(await result, [["1"]]);
  assertEquals(proxy.log[0], "1 client Query SELECT 1");
  await session.close();
});

Deno.test("faultProxy() fails its test where a rule throws", async () => {
  await using server = await scriptedServer([logIn()]);
  const upstream = { host: "127.0.0.1", port: server.port };
  const proxy = await faultProxy({
    upstream,
    onFrame: ({ type }) => type === "Sync" ? { rewrite: "SELECT 1" } : "pass",
  });
  const session = await pgDriver().connect(loopback(proxy.port));
  assertEquals(await codeOf(session.query("SELECT $1", ["1"])), "08006");
  await session.close();
  await assertRejects(
    () => proxy[Symbol.asyncDispose](),
    TypeError,
    "Sync holds no statement to put a fault into",
  );
});
