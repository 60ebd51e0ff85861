import { assertEquals } from "@std/assert";
import {
  cancelRequest,
  codeOf,
  concat,
  dataRow,
  errorResponse,
  frame,
  FrameSplitter,
  greeting,
  parse,
  query,
  readyForQuery,
  rowDescription,
  statementOf,
} from "./wire.ts";

Deno.test("FrameSplitter names the frames of a client, however they are cut", () => {
  const bytes = concat([
    frame("", 80877103),
    frame("", 196608, "user", "root", new Uint8Array(1)),
    query("SELECT 1"),
    parse("SELECT $1"),
    frame("S"),
  ]);
  const types = [
    ...["SSLRequest", "StartupMessage", "Query", "Parse", "Sync"],
  ];
  for (const size of [1, 7, bytes.length]) {
    const splitter = new FrameSplitter("client");
    const frames = [];
    for (let at = 0; at < bytes.length; at += size) {
      frames.push(...splitter.push(bytes.slice(at, at + size)));
    }
    assertEquals(frames.map(({ type }) => type), types);
    assertEquals(concat(frames.map(({ bytes }) => bytes)), bytes);
    assertEquals(frames.map(statementOf).slice(2), [
      "SELECT 1",
      "SELECT $1",
      undefined,
    ]);
  }
});

Deno.test("FrameSplitter knows a cancel request and the frames of a server", () => {
  const [cancel] = new FrameSplitter("client").push(cancelRequest(7, 42));
  assertEquals([cancel.type, cancel.body.length], ["CancelRequest", 12]);
  const frames = new FrameSplitter("server").push(concat([
    greeting(),
    rowDescription(["a"]),
    dataRow(["ß", null]),
    errorResponse({ code: "40001", message: "again" }),
    readyForQuery("E"),
    frame("!"),
  ]));
  assertEquals(frames.map(({ type }) => type), [
    "AuthenticationRequest",
    "ParameterStatus",
    "BackendKeyData",
    "ReadyForQuery",
    "RowDescription",
    "DataRow",
    "ErrorResponse",
    "ReadyForQuery",
    "Unknown(!)",
  ]);
  assertEquals(codeOf(frames[6]), "40001");
});

Deno.test("The builders of frames write what the protocol says", () => {
  assertEquals(readyForQuery(), Uint8Array.of(0x5a, 0, 0, 0, 5, 0x49));
  assertEquals(
    dataRow(["ß", "", null]),
    Uint8Array.from([
      ...[0x44, 0, 0, 0, 20, 0, 3],
      ...[0, 0, 0, 2, 0xc3, 0x9f],
      ...[0, 0, 0, 0],
      ...[255, 255, 255, 255],
    ]),
  );
  const text = new TextDecoder().decode(
    errorResponse({ code: "57P01", message: "draining", severity: "FATAL" }),
  );
  assertEquals(
    text.slice(5),
    "SFATAL\0C57P01\0Mdraining\0VFATAL\0\0",
  );
});
