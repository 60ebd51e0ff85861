/**
 * What drivers do before TLS begins, where it can't, and where the server does as it shouldn't.
 *
 * @module
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openStream } from "../../src/driver/socket.ts";
import { loadTlsOptions, tlsProblem } from "../../src/driver/tls.ts";
import { driverTest } from "../support/drivers.ts";
import {
  close,
  expect,
  logIn,
  type Peer,
  reset,
  type ScriptedServer,
  scriptedServer,
  send,
  type Step,
} from "../support/scripted_server.ts";
import { refusal } from "../support/tls.ts";

driverTest(
  "names the remedy where the server has no TLS, and tells it nothing",
  async (driver) => {
    for (const mode of ["require", "verify-ca", "verify-full"] as const) {
      await using server = await scriptedServer([
        expect("SSLRequest"),
        send(new TextEncoder().encode("N")),
      ]);
      const error = await refusal(driver, { ...server.config, tls: { mode } });
      assertEquals(
        error.message,
        `Cannot connect to 127.0.0.1:${server.port}: the server does not speak TLS; switch it on there, or choose sslmode=disable where the network is trusted`,
      );
      assertEquals(server.received, [["SSLRequest"]]);
    }
  },
);

driverTest(
  "goes on in plain text under prefer where the server has no TLS",
  async (driver) => {
    await using server = await scriptedServer(
      [expect("SSLRequest"), send(new TextEncoder().encode("N")), close()],
      [logIn()],
    );
    const session = await driver.connect({
      ...server.config,
      tls: { mode: "prefer" },
    });
    await session.close();
    assertEquals(server.received.map(([first]) => first), [
      "SSLRequest",
      "StartupMessage",
    ]);
  },
);

const SPOILED: Readonly<Record<string, string>> = {
  "the server sent plain text before the handshake": "SR\0\0\0\x08\0\0\0\0",
  "the server's answer is none of PostgreSQL's": "HTTP/1.1 400",
  "the server closed the connection; see its log, and check host, port and sslmode":
    "",
};

driverTest(
  "says nothing more to a server that slips in plain text, talks nonsense or hangs up before the handshake",
  async (driver) => {
    for (const answer of Object.values(SPOILED)) {
      await using server = await spoiling(answer);
      const config = { ...server.config, tls: { mode: "require" } } as const;
      assertEquals((await refusal(driver, config)).code, "08001");
      assertEquals(server.received, [["SSLRequest"]]);
    }
  },
);

driverTest(
  "speaks no plain text under prefer to a server that slips some in, talks nonsense or says nothing",
  async (driver) => {
    for (
      const answer of ["SR\0\0\0\x08", "NR\0\0\0\x08", "HTTP/1.1 400", ""]
    ) {
      await using server = await spoiling(answer);
      const config = { ...server.config, tls: { mode: "prefer" } } as const;
      assertEquals((await refusal(driver, config)).code, "08001");
      assertEquals(server.received, [["SSLRequest"]]);
    }
  },
);

driverTest(
  "goes on in plain text under prefer where the handshake fails, and under require does not",
  async (driver) => {
    const hello = ({ socket }: Peer) =>
      new Promise<void>((resolve) => socket.once("data", () => resolve()));
    const failures: Step[][] = [
      [close()],
      [hello, close()],
      [hello, reset()],
      [hello, send(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"))],
    ];
    for (const failure of failures) {
      const failing = [
        expect("SSLRequest"),
        send(new TextEncoder().encode("S")),
        ...failure,
      ];
      await using server = await scriptedServer(failing, [logIn()], failing);
      const configFor = (mode: "prefer" | "require") => (
        { ...server.config, tls: { mode } }
      );
      await (await driver.connect(configFor("prefer"))).close();
      const error = await refusal(driver, configFor("require"));
      assertEquals(error.code, "08001");
      assertMatch(error.message, /the TLS handshake failed: /);
      assertEquals(server.received.map(([first]) => first), [
        "SSLRequest",
        "StartupMessage",
        "SSLRequest",
      ]);
    }
  },
);

driverTest(
  "says what to do where the server resets the connection during the handshake",
  async (driver) => {
    await using server = await scriptedServer([
      expect("SSLRequest"),
      send(new TextEncoder().encode("S")),
      ({ socket }) =>
        new Promise((resolve) => socket.once("data", () => resolve())),
      reset(),
    ]);
    const config = { ...server.config, tls: { mode: "require" } } as const;
    const { code, message } = await refusal(driver, config);
    assertEquals(code, "08001");
    assertMatch(
      message,
      /the server closed the connection; see its log, and check host, port/,
    );
  },
);

driverTest("limits the time of the handshake too", async (driver) => {
  await using server = await scriptedServer([
    expect("SSLRequest"),
    send(new TextEncoder().encode("S")),
  ]);
  const error = await refusal(driver, {
    ...server.config,
    tls: { mode: "require" },
    connectTimeoutMs: 50,
  });
  assertMatch(error.message, /the server didn't answer within 50 ms/);
});

Deno.test("openStream() says what spoiled the handshake", async () => {
  const { signal } = new AbortController();
  const tls = await loadTlsOptions({ mode: "require" }, "127.0.0.1");
  for (const [reason, answer] of Object.entries(SPOILED)) {
    await using server = await spoiling(answer);
    const error = await assertRejects(() =>
      openStream(server.config, { signal, tls })
    );
    assertEquals(tlsProblem(error), `the TLS handshake failed: ${reason}`);
  }
});

function spoiling(answer: string): Promise<ScriptedServer> {
  const bytes = new TextEncoder().encode(answer);
  return scriptedServer([expect("SSLRequest"), send(bytes), close()]);
}
