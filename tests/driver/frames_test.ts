import { assertEquals, assertThrows } from "@std/assert";
import { FrameBuffer } from "../../src/driver/frame_buffer.ts";
import {
  decodeRows,
  parseColumns,
  parseCommandTag,
  parseFields,
  parseParameter,
  parseStatus,
} from "../../src/driver/frames.ts";
import { concat, dataRow, rowDescription } from "../support/wire.ts";

const encoder = new TextEncoder();

function bodyOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(5);
}

Deno.test("parseColumns() reads names and types", () => {
  assertEquals(
    parseColumns(bodyOf(rowDescription(["id", "größe", "?column?"], 20))),
    [
      { name: "id", typeOid: 20 },
      { name: "größe", typeOid: 20 },
      { name: "?column?", typeOid: 20 },
    ],
  );
});

Deno.test("parseColumns() reads an OID beyond 31 bits and a result without columns", () => {
  assertEquals(parseColumns(bodyOf(rowDescription(["x"], 4294967295))), [
    { name: "x", typeOid: 4294967295 },
  ]);
  assertEquals(parseColumns(new Uint8Array([0, 0])), []);
});

Deno.test("parseColumns() refuses a body that ends early", () => {
  const body = bodyOf(rowDescription(["id"]));
  assertThrows(() => parseColumns(body.subarray(0, body.length - 1)));
});

Deno.test("decodeRows() tells NULL, the empty text and other alphabets apart", () => {
  const cells = [
    "plain",
    "",
    null,
    "Größe €",
    "日本語",
    "\u{1f418}",
    "\ufeffmark",
  ];
  const bytes = dataRow(cells);
  assertEquals(decodeRows(bytes, Infinity), {
    rows: [cells],
    end: bytes.length,
  });
});

Deno.test("decodeRows() stops before a frame that is cut short, another type, and the limit", () => {
  const row = dataRow(["one"]);
  const rows = concat([row, row, row]);
  for (let cut = 0; cut < row.length; cut++) {
    assertEquals(decodeRows(rows.subarray(0, row.length + cut), 9), {
      rows: [["one"]],
      end: row.length,
    });
  }
  assertEquals(decodeRows(concat([row, rowDescription(["x"])]), 9).end, 14);
  assertEquals(decodeRows(rows, 2).rows.length, 2);
});

Deno.test("decodeRows() refuses a cell that does not keep to its frame", () => {
  const long = dataRow(["one"]);
  long[10] = 4;
  assertThrows(() => decodeRows(long, 1), RangeError);
  const few = dataRow(["one"]);
  few[6] = 9;
  assertThrows(() => decodeRows(few, 1), RangeError);
  const short = dataRow(["one"]);
  short[10] = 2;
  assertThrows(() => decodeRows(short, 1), RangeError);
});

Deno.test("parseFields() reads every field that an error has", () => {
  const fields = {
    S: "FEHLER",
    V: "ERROR",
    C: "23505",
    M: "duplicate key",
    D: "Key (id)=(1) already exists.",
    H: "Take another one.",
    P: "17",
    W: "PL/pgSQL function f()",
    s: "public",
    t: "users",
    c: "id",
    d: "int8",
    n: "users_pkey",
    q: "INSERT INTO users VALUES (1)",
    p: "13",
    F: "nbtinsert.c",
    L: "673",
    R: "_bt_check_unique",
    "?": "no one knows",
  };
  const text = Object.entries(fields).map(([name, value]) =>
    `${name}${value}\0`
  );
  assertEquals(parseFields(encoder.encode(`${text.join("")}\0`)), {
    severity: "ERROR",
    code: "23505",
    message: "duplicate key",
    detail: "Key (id)=(1) already exists.",
    hint: "Take another one.",
    position: 17,
    where: "PL/pgSQL function f()",
    schema: "public",
    table: "users",
    column: "id",
    dataType: "int8",
    constraint: "users_pkey",
    internalQuery: "INSERT INTO users VALUES (1)",
    internalPosition: 13,
    file: "nbtinsert.c",
    line: 673,
    routine: "_bt_check_unique",
  });
});

Deno.test("parseFields() gives what is missing a neutral value", () => {
  assertEquals(parseFields(encoder.encode("Mlost\0\0")), {
    severity: "ERROR",
    code: "XX000",
    message: "lost",
  });
});

Deno.test("parseFields() refuses fields that don't end with the body", () => {
  const body = encoder.encode("SERROR\0Mlost\0\0");
  for (let length = 0; length < body.length; length++) {
    assertThrows(() => parseFields(body.subarray(0, length)), RangeError);
  }
  assertThrows(() => parseFields(concat([body, body])), RangeError);
});

Deno.test("parseCommandTag() takes words and the last number", () => {
  const tags = {
    "INSERT 0 5": { command: "INSERT", rowCount: 5 },
    "SELECT 100000": { command: "SELECT", rowCount: 100000 },
    "CREATE TABLE": { command: "CREATE TABLE", rowCount: 0 },
    "CREATE TABLE AS 3": { command: "CREATE TABLE AS", rowCount: 3 },
    ROLLBACK: { command: "ROLLBACK", rowCount: 0 },
    "": { command: "", rowCount: 0 },
  };
  for (const [tag, expected] of Object.entries(tags)) {
    assertEquals(parseCommandTag(encoder.encode(`${tag}\0`)), expected);
  }
});

Deno.test("parseParameter() reads a name and a value", () => {
  const body = encoder.encode("crdb_version\0CockroachDB CCL v25.2.0\0");
  assertEquals(parseParameter(body), [
    "crdb_version",
    "CockroachDB CCL v25.2.0",
  ]);
});

Deno.test("parseStatus() knows three states and refuses any other", () => {
  assertEquals(
    ["I", "T", "E"].map((letter) => parseStatus(encoder.encode(letter))),
    ["idle", "open", "failed"],
  );
  assertThrows(() => parseStatus(encoder.encode("\0")), RangeError);
  assertThrows(() => parseStatus(new Uint8Array()), RangeError);
});

function fill(buffer: FrameBuffer, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const room = buffer.room();
    const part = bytes.subarray(at, at + room.length);
    room.set(part);
    buffer.added(part.length);
    at += part.length;
  }
}

Deno.test("FrameBuffer tells type and length, and gives a frame only when it is whole", () => {
  const buffer = new FrameBuffer();
  assertEquals([buffer.type, buffer.length], [0, undefined]);
  fill(buffer, new Uint8Array([0x5a, 0, 0, 0]));
  assertEquals([buffer.type, buffer.length], [0x5a, undefined]);
  fill(buffer, new Uint8Array([5]));
  assertEquals([buffer.length, buffer.take(6)], [6, undefined]);
  fill(buffer, new Uint8Array([0x49, 1]));
  assertEquals(buffer.take(6), new Uint8Array([0x5a, 0, 0, 0, 5, 0x49]));
  assertEquals(buffer.rest, new Uint8Array([1]));
});

Deno.test("FrameBuffer grows for a frame that is larger, and keeps what it holds", () => {
  const buffer = new FrameBuffer();
  const large = new Uint8Array(1_000_000).map((_, index) => index % 251);
  fill(buffer, new Uint8Array([1, 2, 3]));
  buffer.take(2);
  fill(buffer, large);
  assertEquals(buffer.take(1), new Uint8Array([3]));
  assertEquals(buffer.take(large.length), large);
  assertEquals(buffer.room().length, 128 * 1024);
});
