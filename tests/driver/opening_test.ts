import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type Opening, openWithin } from "../../src/driver/opening.ts";
import { TLS_REFUSED } from "../../src/driver/tls.ts";
import { DatabaseError } from "../../src/errors.ts";
import { loopback } from "../support/scripted_server.ts";

const CONFIG = { ...loopback(26257), connectTimeoutMs: 10 };

/** Opens only when it is told to, whatever its signal says. */
class Stubborn {
  readonly attempts: Opening["attempt"][] = [];
  readonly closed = Promise.withResolvers<void>();
  readonly opened = Promise.withResolvers<Stubborn>();

  readonly open = ({ attempt }: Opening): Promise<Stubborn> => {
    this.attempts.push(attempt);
    return this.opened.promise;
  };

  close(): Promise<void> {
    this.closed.resolve();
    return Promise.resolve();
  }
}

Deno.test("openWithin() keeps to its time, and closes what is opened later", async () => {
  const stubborn = new Stubborn();
  const error = await assertRejects(
    () => openWithin(CONFIG, stubborn.open),
    DatabaseError,
    "Cannot connect to 127.0.0.1:26257: the server didn't answer within 10 ms; check host, port and network, or raise the connect timeout",
  );
  assertEquals(error.code, "08001");
  stubborn.opened.resolve(stubborn);
  await stubborn.closed.promise;
});

Deno.test("openWithin() ends with its signal, and lets a later failure be", async () => {
  const stubborn = new Stubborn();
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const error = await assertRejects(() =>
    openWithin(CONFIG, stubborn.open, { signal })
  );
  assertStrictEquals(error, reason);
  stubborn.opened.reject(new Error("too late"));
});

Deno.test("openWithin() makes no second attempt behind the limit", async () => {
  const stubborn = new Stubborn();
  const tls = { mode: "prefer" } as const;
  await assertRejects(() => openWithin({ ...CONFIG, tls }, stubborn.open));
  stubborn.opened.reject(new Error(TLS_REFUSED));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(stubborn.attempts, ["tls"]);
});
