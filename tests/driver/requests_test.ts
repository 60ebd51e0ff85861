import { assertEquals } from "@std/assert";
import {
  cancelRequest,
  concat,
  copyFail,
  SSL_REQUEST,
  startupMessage,
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
    "user|maxi|database|bank|client_encoding|UTF8|application_name|crdb|DateStyle|ISO||",
  );
});

Deno.test("startupMessage() sends any setting as it is, and the cluster in the options", () => {
  const sessionSettings = {
    search_path: '"a b", public',
    cluster: "tame bear\\1",
    "custom.x": "100% = 1+1",
  };
  assertEquals(
    textOf(startupMessage({ ...CONFIG, sessionSettings })).split("ISO|")[1],
    'search_path|"a b", public|custom.x|100% = 1+1|options|--cluster=tame\\ bear\\\\1||',
  );
});

Deno.test("startupMessage() never holds the password", () => {
  const message = startupMessage({ ...CONFIG, password: "opensesame" });
  assertEquals(textOf(message).includes("opensesame"), false);
});

Deno.test("The other requests are the frames of the protocol", () => {
  assertEquals(SSL_REQUEST, frame("", 80877103));
  assertEquals(
    cancelRequest(new Uint8Array([0, 0, 1, 0, 0, 0, 0, 7])),
    frame("", 80877102, 256, 7),
  );
  assertEquals(TERMINATE, frame("X"));
  assertEquals(copyFail("no"), frame("f", "no"));
});

Deno.test("concat() puts byte sequences together", () => {
  assertEquals(
    concat([new Uint8Array([1]), new Uint8Array(), new Uint8Array([2, 3])]),
    new Uint8Array([1, 2, 3]),
  );
});
