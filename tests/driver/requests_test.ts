import { assertEquals } from "@std/assert";
import {
  cancelRequest,
  CLOSE_PORTAL,
  copyFail,
  moreFrames,
  passwordMessage,
  saslInitialResponse,
  SSL_REQUEST,
  startupMessage,
  statementFrames,
  TERMINATE,
} from "../../src/driver/requests.ts";
import { frame, FrameSplitter } from "../support/wire.ts";

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll("\0", "|");
}

const CONFIG = {
  host: "localhost",
  port: 26257,
  database: "bank",
  user: "maxi",
  applicationName: "crdb",
  sessionSettings: {},
  tls: { mode: "disable" },
  connectTimeoutMs: 1_000,
} as const;

Deno.test("startupMessage() names user and database, and asks for UTF-8 and ISO dates", () => {
  const [first] = new FrameSplitter("client").push(startupMessage(CONFIG));
  assertEquals(first.type, "StartupMessage");
  assertEquals(
    textOf(startupMessage(CONFIG)).slice(8),
    "user|maxi|database|bank|client_encoding|UTF8|application_name|crdb|DateStyle|ISO|extra_float_digits|3||",
  );
});

Deno.test("startupMessage() sends any setting as it is, and the cluster in the options", () => {
  const sessionSettings = {
    search_path: '"a b", public',
    cluster: "tame bear\\1",
    "custom.x": "100% = 1+1",
  };
  assertEquals(
    textOf(startupMessage({ ...CONFIG, sessionSettings })).split(
      "digits|3|",
    )[1],
    'search_path|"a b", public|custom.x|100% = 1+1|options|--cluster=tame\\ bear\\\\1||',
  );
});

Deno.test("startupMessage() never holds the password", () => {
  const message = startupMessage({ ...CONFIG, password: "opensesame" });
  assertEquals(textOf(message).includes("opensesame"), false);
});

Deno.test("The other requests are the frames of the protocol", () => {
  const first = new TextEncoder().encode("n,,n=,r=x");
  assertEquals(passwordMessage(first), frame("p", first));
  assertEquals(
    saslInitialResponse("SCRAM-SHA-256", first),
    frame("p", "SCRAM-SHA-256", first.length, first),
  );
  assertEquals(SSL_REQUEST, frame("", 80877103));
  assertEquals(
    cancelRequest(new Uint8Array([0, 0, 1, 0, 0, 0, 0, 7])),
    frame("", 80877102, 256, 7),
  );
  assertEquals(TERMINATE, frame("X"));
  assertEquals(copyFail("no"), frame("f", "no"));
});

Deno.test("statementFrames() build Parse, Bind, Describe, Execute and Sync", () => {
  const text = "SELECT $1, $2, $3";
  const zeros = new Uint8Array(2);
  const count = new Uint8Array([0, 3]);
  const seven = new TextEncoder().encode("7");
  assertEquals(
    statementFrames(text, ["7", null, ""]),
    Uint8Array.of(
      ...frame("P", "", text, zeros),
      ...frame("B", "", "", zeros, count, 1, seven, -1, 0, zeros),
      ...frame("D", "P"),
      ...frame("E", "", 0),
      ...frame("S"),
    ),
  );
});

Deno.test("statementFrames() parse a statement under a name, use it, and give names back", () => {
  const text = "SELECT $1";
  const zeros = new Uint8Array(2);
  const one = new Uint8Array([0, 1]);
  const seven = new TextEncoder().encode("7");
  const rest = [
    ...frame("B", "", "name", zeros, one, 1, seven, zeros),
    ...frame("D", "P"),
    ...frame("E", "", 0),
    ...frame("S"),
  ];
  const outdated = ["a", "bc"];
  assertEquals(
    statementFrames(text, ["7"], { name: "name", outdated }),
    Uint8Array.of(
      ...frame("C", "Sa"),
      ...frame("C", "Sbc"),
      ...frame("P", "name", text, zeros),
      ...rest,
    ),
  );
  assertEquals(
    statementFrames(text, ["7"], { name: "name", isParsed: true }),
    Uint8Array.from(rest),
  );
});

Deno.test("statementFrames() use the memory that they are given, where they fit", () => {
  const memory = new Uint8Array(200).fill(0xff);
  const [text, args] = ["SELECT $1, $2", ["ä", null]];
  const frames = statementFrames(text, args, { memory });
  assertEquals(frames.buffer, memory.buffer);
  assertEquals(frames, statementFrames(text, args));
  const long = statementFrames(text, ["x".repeat(200), null], { memory });
  assertEquals(long, statementFrames(text, ["x".repeat(200), null]));
  assertEquals(long.buffer === memory.buffer, false);
});

Deno.test("statementFrames() count bytes, not characters, of texts of any length", () => {
  for (
    const text of ["é", "ab\u{1f418}", "é".repeat(100), "x".repeat(70_000)]
  ) {
    const frames = new FrameSplitter("client");
    frames.push(startupMessage(CONFIG));
    const [parse, bind] = frames.push(statementFrames(text, [text]));
    const bytes = new TextEncoder().encode(text);
    assertEquals(parse.body.subarray(1, -3), bytes);
    assertEquals(bind.body.subarray(10, -2), bytes);
  }
});

Deno.test("statementFrames() and moreFrames() ask for a portion of the rows", () => {
  const last = (bytes: Uint8Array) =>
    new FrameSplitter("client").push(Uint8Array.of(...bytes)).slice(-2)
      .map(({ type, body }) => [type, body]);
  const expected = [
    ["Execute", Uint8Array.of(0, 0, 0, 3, 232)],
    ["Sync", new Uint8Array()],
  ];
  const prefix = startupMessage(CONFIG);
  const after = (bytes: Uint8Array) => last(Uint8Array.of(...prefix, ...bytes));
  const first = statementFrames("SELECT 1", [], { portion: 1_000 });
  assertEquals(after(first), expected);
  assertEquals(after(moreFrames(1_000)), expected);
  assertEquals(
    after(statementFrames("SELECT 1", []))[0],
    ["Execute", new Uint8Array(5)],
  );
  assertEquals(
    CLOSE_PORTAL,
    Uint8Array.of(...frame("C", "P"), ...frame("S")),
  );
});
