import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import type { Session } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import { FakeDriver } from "../support/fake_driver.ts";

Deno.test("withSession() takes the session back for good", async () => {
  const driver = new FakeDriver();
  await using db = new Database({ driver });
  let kept: Session | undefined;
  await db.withSession(async (session) => {
    kept = session;
    await session.query("mine");
    assertEquals([session.broken, session.transactionStatus], [false, "idle"]);
  });
  const message =
    "Cannot use the session: it was given back; use it only in the callback of withSession()";
  await assertRejects(() => kept!.query("another's"), DatabaseError, message);
  await assertRejects(
    () => Array.fromAsync(kept!.stream("another's")),
    DatabaseError,
    message,
  );
  assertThrows(() => kept!.transactionStatus, DatabaseError, message);
  await kept!.cancel();
  await kept!.close();
  assertEquals(kept!.broken, true);
  const [session] = driver.sessions;
  assertEquals([session.statements, session.closed], [["mine"], false]);
});
