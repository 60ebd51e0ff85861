/**
 * How a session is lost, and the error that its calls reject with then.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Answer } from "../../src/driver/answer.ts";
import { Transport } from "../../src/driver/transport.ts";
import { DatabaseError } from "../../src/errors.ts";
import {
  call,
  loggedIn,
  logIn,
  MemoryStream,
  readUntilReady,
  ROWS,
  settle,
  STARTUP,
} from "../support/memory_transport.ts";
import {
  concat,
  dataRow,
  errorResponse,
  noticeResponse,
  parameterStatus,
  query,
  readyForQuery,
  rowDescription,
} from "../support/wire.ts";

Deno.test("The end of the stream is an error wherever it comes", async () => {
  for (let cut = 0; cut < ROWS.length; cut++) {
    const [transport, stream] = await loggedIn();
    stream.push(ROWS.subarray(0, cut), null);
    const error = await assertRejects(() => call(transport), DatabaseError);
    assertEquals(error.code, "08006");
    assertEquals(
      error.message,
      "Cannot go on with the session: the server closed the connection; open another one",
    );
    assertEquals(stream.closed, true);
    await assertRejects(() => call(transport), DatabaseError);
  }
});

Deno.test("A broken connection names its cause", async () => {
  const [transport, stream] = await loggedIn();
  const cause = new Deno.errors.ConnectionReset("reset by peer");
  stream.push(cause);
  const error = await assertRejects(() => call(transport), DatabaseError);
  assertEquals(
    error.message,
    "Cannot go on with the session: the connection broke (reset by peer); open another one",
  );
  assertStrictEquals(error.cause, cause);
});

Deno.test("A FATAL error ends the session with its own SQLSTATE, whether or not the server hangs up", async () => {
  const [transport, stream] = await loggedIn();
  stream.push(errorResponse({
    severity: "FATAL",
    code: "57P01",
    message: "draining",
  }));
  const answer = new Answer();
  const error = await assertRejects(
    () => call(transport, answer),
    DatabaseError,
  );
  assertEquals([error.code, error.kind], ["57P01", "connection"]);
  assertEquals(answer.error?.message, "draining");
  assertEquals(stream.closed, true);
});

Deno.test("A good-bye between calls is noticed at once", async () => {
  const [transport, stream] = await loggedIn();
  assertEquals([transport.lost, stream.alive], [undefined, false]);
  stream.push(
    parameterStatus("TimeZone", "UTC"),
    noticeResponse({ code: "00000", message: "psst" }),
  );
  await settle();
  assertEquals(transport.lost, undefined);
  assertEquals(transport.ledger.parameters.TimeZone, "UTC");
  stream.push(errorResponse({
    severity: "FATAL",
    code: "57P05",
    message: "idle for too long",
  }));
  await settle();
  assertEquals(transport.lost?.code, "57P05");
});

Deno.test("An answer to nothing ends the session", async () => {
  const [transport, stream] = await loggedIn();
  stream.push(readyForQuery());
  await settle();
  assertEquals(
    transport.lost?.message,
    "Cannot go on with the session: the server's answer breaks the protocol; open another one",
  );
});

Deno.test("Nonsense during the log-in is told, and no memory is taken for it", async () => {
  const encoder = new TextEncoder();
  const nonsense = {
    "another protocol": encoder.encode("HTTP/1.1 400 Bad Request\r\n\r\n"),
    "a frame too long": new Uint8Array([0x52, 0x7f, 0, 0, 0]),
    "a frame too short": new Uint8Array([0x52, 0, 0, 0, 3]),
    "rows": dataRow(["x"]),
  };
  for (const [name, bytes] of Object.entries(nonsense)) {
    const stream = new MemoryStream();
    const transport = new Transport(stream, STARTUP);
    const error = await assertRejects(
      () => logIn(transport, stream, bytes),
      DatabaseError,
    );
    assertEquals([name, error.code], [name, "08001"]);
  }
});

Deno.test("A session that is lost lets go of a batch that waits", async () => {
  const [transport, stream] = await loggedIn();
  const answer = new Answer({ batchSize: 1 });
  stream.push(concat([rowDescription(["a"]), dataRow(["1"]), dataRow(["2"])]));
  const done = call(transport, answer);
  await answer.batch;
  transport.lose(new DatabaseError({ code: "08006", message: "given up" }));
  assertEquals((await assertRejects(() => done, Error)).message, "given up");
});

Deno.test("A failed write leaves the server's last words to be read", async () => {
  const [transport, stream] = await loggedIn();
  stream.write = () => Promise.reject(new Deno.errors.BrokenPipe("gone"));
  const writer = transport.conn.writable.getWriter();
  await writer.write(STARTUP);
  const answer = new Answer();
  transport.begin(answer);
  await writer.write(query("SELECT 1"));
  await settle();
  stream.push(
    errorResponse({ severity: "FATAL", code: "57P01", message: "draining" }),
    null,
  );
  await assertRejects(() => readUntilReady(transport));
  assertEquals(answer.error?.code, "57P01");
});
