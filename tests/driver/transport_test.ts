import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Answer } from "../../src/driver/answer.ts";
import type { ByteStream } from "../../src/driver/socket.ts";
import { Transport } from "../../src/driver/transport.ts";
import { DatabaseError } from "../../src/errors.ts";
import {
  authenticationOk,
  backendKeyData,
  bound,
  commandComplete,
  concat,
  dataRow,
  errorResponse,
  frame,
  noticeResponse,
  parameterStatus,
  parse,
  query,
  readyForQuery,
  rowDescription,
} from "../support/wire.ts";

const STARTUP = frame("", 196608, "user", "root", new Uint8Array(1));
const GREETING = concat([
  authenticationOk(),
  parameterStatus("crdb_version", "v25"),
  backendKeyData(7, 8),
  readyForQuery(),
]);

/** A connection in memory: what the server says is pushed, what it hears is kept. */
class MemoryStream implements ByteStream {
  readonly heard: Uint8Array[] = [];
  reads = 0;
  closed = false;
  alive = true;
  #chunks: (Uint8Array | null | Error)[] = [];
  #wake = () => {};

  push(...chunks: (Uint8Array | null | Error)[]): void {
    this.#chunks.push(...chunks);
    this.#wake();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    this.reads++;
    while (this.#chunks.length === 0) {
      if (this.closed) throw new Deno.errors.BadResource("closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#chunks.shift()!;
    if (chunk instanceof Error) throw chunk;
    if (chunk === null) return null;
    const part = chunk.subarray(0, buffer.length);
    buffer.set(part);
    if (part.length < chunk.length) {
      this.#chunks.unshift(chunk.subarray(part.length));
    }
    return part.length;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.heard.push(bytes);
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.#wake();
  }

  hold(alive: boolean): void {
    this.alive = alive;
  }
}

/** Reads as deno-postgres does: a header, then a body. */
async function readFrame(transport: Transport): Promise<string> {
  const header = new Uint8Array(5);
  await readFull(transport, header);
  await readFull(
    transport,
    new Uint8Array(new DataView(header.buffer).getInt32(1) - 4),
  );
  return String.fromCharCode(header[0]);
}

async function readFull(transport: Transport, bytes: Uint8Array) {
  for (let at = 0; at < bytes.length;) {
    at += await transport.conn.read(bytes.subarray(at)) ?? 0;
  }
}

async function readUntilReady(transport: Transport): Promise<string> {
  let types = "";
  while (!types.endsWith("Z")) types += await readFrame(transport);
  return types;
}

async function loggedIn(): Promise<[Transport, MemoryStream]> {
  const stream = new MemoryStream();
  const transport = new Transport(stream, STARTUP);
  transport.begin(new Answer());
  stream.push(GREETING);
  await readUntilReady(transport);
  transport.finish();
  stream.heard.length = 0;
  return [transport, stream];
}

async function call(
  transport: Transport,
  answer = new Answer(),
): Promise<Answer> {
  transport.begin(answer);
  try {
    await readUntilReady(transport);
  } finally {
    transport.finish();
  }
  return answer;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

const ROWS = concat([
  bound(),
  rowDescription(["a", "b"]),
  dataRow(["1", "x"]),
  dataRow(["2", null]),
  noticeResponse({ code: "00000", message: "psst" }),
  commandComplete("SELECT 2"),
  readyForQuery(),
]);

function assertRows(answer: Answer): void {
  const { columns, rows, command, rowCount, notices, error } = answer;
  assertEquals(columns.map(({ name }) => name), ["a", "b"]);
  assertEquals(rows, [["1", "x"], ["2", null]]);
  assertEquals([command, rowCount, error], ["SELECT", 2, undefined]);
  assertEquals(notices.map(({ message }) => message), ["psst"]);
}

Deno.test("The first frame is replaced, and what the server reports of itself is kept", async () => {
  const stream = new MemoryStream();
  const transport = new Transport(stream, STARTUP);
  const writer = transport.conn.writable.getWriter();
  await writer.write(frame("", 196608, "client_encoding", "'utf-8'"));
  await writer.ready;
  transport.begin(new Answer());
  stream.push(GREETING);
  assertEquals(await readUntilReady(transport), "RZ");
  assertEquals(stream.heard, [STARTUP]);
  assertEquals(transport.parameters, { crdb_version: "v25" });
  assertEquals(
    transport.backendKey,
    new Uint8Array([0, 0, 0, 7, 0, 0, 0, 8]),
  );
  transport.finish();
  await transport.close();
});

Deno.test("A backend key of zeros is none", async () => {
  const stream = new MemoryStream();
  const transport = new Transport(stream, STARTUP);
  stream.push(authenticationOk(), backendKeyData(0, 0), readyForQuery());
  await call(transport);
  assertEquals(transport.backendKey, undefined);
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
  assertEquals(transport.parameters.TimeZone, "UTC");
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
    stream.push(bytes);
    const error = await assertRejects(() => call(transport), DatabaseError);
    assertEquals([name, error.code], [name, "08001"]);
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
  assertEquals(transport.transactionStatus, "open");
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
  assertEquals([transport.lost, transport.transactionStatus], [
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

Deno.test("A session that is lost lets go of a batch that waits", async () => {
  const [transport, stream] = await loggedIn();
  const answer = new Answer({ batchSize: 1 });
  stream.push(concat([rowDescription(["a"]), dataRow(["1"]), dataRow(["2"])]));
  const done = call(transport, answer);
  await answer.batch;
  transport.lose(new DatabaseError({ code: "08006", message: "given up" }));
  assertEquals((await assertRejects(() => done, Error)).message, "given up");
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
