/**
 * What the transport carries, and what it keeps for itself.
 *
 * @module
 */

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { Answer } from "../../src/driver/answer.ts";
import { Transport } from "../../src/driver/transport.ts";
import { DatabaseError } from "../../src/errors.ts";
import {
  call,
  GREETING,
  loggedIn,
  logIn,
  MemoryStream,
  readUntilReady,
  ROWS,
  settle,
  STARTUP,
} from "../support/memory_transport.ts";
import {
  authenticationOk,
  backendKeyData,
  commandComplete,
  concat,
  dataRow,
  errorResponse,
  frame,
  parse,
  query,
  readyForQuery,
  rowDescription,
} from "../support/wire.ts";

function assertRows(answer: Answer): void {
  const { columns, rows, command, rowCount, notices, error } = answer;
  assertEquals(columns.map(({ name }) => name), ["a", "b"]);
  assertEquals(rows, [["1", "x"], ["2", null]]);
  assertEquals([command, rowCount, error], ["SELECT", 2, undefined]);
  assertEquals(notices.map(({ message }) => message), ["psst"]);
}

Deno.test("The driver's first frame is replaced, and it is let in before the server has answered", async () => {
  const stream = new MemoryStream();
  const transport = new Transport(stream, STARTUP);
  const writer = transport.conn.writable.getWriter();
  await writer.write(frame("", 196608, "client_encoding", "'utf-8'"));
  await writer.ready;
  assertEquals(await readUntilReady(transport), "RZ");
  assertEquals(stream.heard, [STARTUP]);
  await transport.close();
});

Deno.test("What the server reports of itself is kept", async () => {
  const stream = new MemoryStream();
  const transport = new Transport(stream, STARTUP);
  await logIn(transport, stream, GREETING);
  assertEquals(transport.ledger.parameters, { crdb_version: "v25" });
  assertEquals(
    transport.ledger.backendKey,
    new Uint8Array([0, 0, 0, 7, 0, 0, 0, 8]),
  );
  await transport.close();
});

Deno.test("A backend key of zeros is none", async () => {
  const stream = new MemoryStream();
  const transport = new Transport(stream, STARTUP);
  const greeting = [authenticationOk(), backendKeyData(0, 0), readyForQuery()];
  await logIn(transport, stream, ...greeting);
  assertEquals(transport.ledger.backendKey, undefined);
  await transport.close();
});

Deno.test("A request is sent in place of the driver's next frame, and of no other", async () => {
  const [transport, stream] = await loggedIn();
  const writer = transport.conn.writable.getWriter();
  await writer.write(new Uint8Array([1]));
  const request = concat([parse("SELECT $1"), frame("B"), frame("S")]);
  transport.begin(new Answer(), request);
  await writer.write(query(""));
  await writer.write(query("SELECT 1"));
  await settle();
  assertEquals(stream.heard, [request, query("SELECT 1")]);
  await transport.close();
});

Deno.test("An answer is the same however it is cut into reads", async () => {
  for (const size of [1, 2, 7, 1_000]) {
    const [transport, stream] = await loggedIn();
    for (let at = 0; at < ROWS.length; at += size) {
      stream.push(ROWS.subarray(at, at + size));
    }
    assertRows(await call(transport));
    await transport.close();
  }
});

Deno.test("Of several statements the last one's result counts, with its own columns", async () => {
  const [transport, stream] = await loggedIn();
  const first = [rowDescription(["a", "b"], 23), dataRow(["1", "2"])];
  const second = [rowDescription(["c"], 25), dataRow(["x"])];
  stream.push(
    ...[...first, commandComplete("SELECT 1")],
    ...[...second, commandComplete("SELECT 1"), readyForQuery()],
  );
  const answer = await call(transport);
  assertEquals(answer.columns, [{ name: "c", typeOid: 25 }]);
  assertEquals(answer.rows, [["x"]]);
  stream.push(
    ...[...first, commandComplete("SELECT 1")],
    ...[commandComplete("CREATE TABLE"), readyForQuery("T")],
  );
  const { columns, rows, command } = await call(transport);
  assertEquals([columns, rows, command], [[], [], "CREATE TABLE"]);
  assertEquals(transport.ledger.transactionStatus, "open");
  await transport.close();
});

Deno.test("The first error of a call counts", async () => {
  const [transport, stream] = await loggedIn();
  stream.push(
    errorResponse({ code: "40001", message: "restart transaction" }),
    errorResponse({ code: "25P02", message: "aborted" }),
    readyForQuery("E"),
  );
  const { error } = await call(transport);
  assertEquals(error?.code, "40001");
  assertEquals([transport.lost, transport.ledger.transactionStatus], [
    undefined,
    "failed",
  ]);
  await transport.close();
});

Deno.test("COPY is refused on both ways, and the session stays usable", async () => {
  const [transport, stream] = await loggedIn();
  stream.push(
    frame("G", new Uint8Array(3)),
    errorResponse({ code: "57014", message: "COPY from stdin failed" }),
    readyForQuery(),
  );
  const { error } = await call(transport);
  assertEquals(
    error?.message,
    "Cannot COPY FROM STDIN through this client; use INSERT",
  );
  await settle();
  assertEquals(stream.heard, [frame("f", "not supported")]);
  stream.push(
    ...[frame("H", new Uint8Array(3)), frame("d"), frame("c")],
    ...[commandComplete("COPY 1"), readyForQuery()],
  );
  assertEquals((await call(transport)).error?.code, "0A000");
  await transport.close();
});

Deno.test("Nothing is read from the server while a batch waits to be taken", async () => {
  const [transport, stream] = await loggedIn();
  const answer = new Answer({ batchSize: 2 });
  transport.begin(answer);
  stream.push(concat([rowDescription(["n"]), dataRow(["1"]), dataRow(["2"])]));
  stream.push(concat([dataRow(["3"]), commandComplete("SELECT 3")]));
  stream.push(readyForQuery());
  const done = readUntilReady(transport);
  await answer.batch;
  const { reads } = stream;
  await settle();
  assertEquals(stream.reads, reads);
  assertEquals(answer.take(), [["1"], ["2"]]);
  assertEquals(await done, "Z");
  assertEquals(answer.take(), [["3"]]);
  transport.finish();
  await transport.close();
});

Deno.test("close() says good-bye once, and calls after it are told so", async () => {
  const [transport, stream] = await loggedIn();
  await transport.close();
  await transport.close();
  assertEquals([stream.heard, stream.closed], [[frame("X")], true]);
  const error = await assertRejects(() => call(transport), DatabaseError);
  assertEquals(
    [error.code, error.message],
    ["08003", "Cannot use the session: it was closed; open another one"],
  );
});

Deno.test("close() waits for no server that takes nothing, and hides a failed good-bye", async () => {
  const [stuck, silent] = await loggedIn();
  silent.write = () => new Promise(() => {});
  await stuck.close();
  assertEquals(silent.closed, true);

  const [broken, gone] = await loggedIn();
  gone.write = () => Promise.reject(new Deno.errors.BrokenPipe("gone"));
  await broken.close();
  assertInstanceOf(broken.lost, DatabaseError);
});
