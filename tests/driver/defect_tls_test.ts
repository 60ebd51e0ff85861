/**
 * Defect 11 of deno-postgres 0.19.5: the protection of its connections. Each test shows the defect on
 * the bare client first, where that is at hand, and then that a session of ours does without it.
 *
 * @module
 */

import { connect, createServer } from "node:net";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
} from "@std/assert";
import { join } from "@std/path";
import { resolveConfig } from "../../src/driver/config.ts";
import { ConfigError } from "../../src/errors.ts";
import { bareClient } from "../support/bare.ts";
import { failure, showing } from "../support/defects.ts";
import { driverTest } from "../support/drivers.ts";
import {
  close,
  expect,
  listen,
  logIn,
  type Peer,
  scriptedServer,
  send,
} from "../support/scripted_server.ts";
import { askForPassword, FrameSplitter, greeting } from "../support/wire.ts";

const MODES = ["require", "verify-ca", "verify-full"] as const;
const NO_FILE = "/there/is/no/such.pem";

/** What a server says to the request for TLS. */
const says = (text: string) => send(new TextEncoder().encode(text));

const refuseTls = [expect("SSLRequest"), says("N")];

driverTest(
  "has not defect 11: it speaks plain text where TLS is refused, and ignores certificates",
  async (driver) => {
    await showing(driver, async () => {
      await using server = await scriptedServer([...refuseTls, logIn()]);
      const client = await bareClient(server.config, {
        tls: { enabled: true },
      });
      await client.connect();
      assertEquals(server.received, [["SSLRequest", "StartupMessage"]]);
    });
    await using server = await scriptedServer(refuseTls);
    const { config } = server;
    for (const mode of MODES) {
      const error = await failure(driver.connect({ ...config, tls: { mode } }));
      assertMatch(error.message, /the server does not speak TLS/);
    }
    const rootCert = NO_FILE;
    await assertRejects(
      () => driver.connect({ ...config, tls: { mode: "require", rootCert } }),
      ConfigError,
      rootCert,
    );
    assertEquals(
      server.received.slice(0, 3),
      new Array(3).fill(["SSLRequest"]),
    );
    assert(!server.received.flat().includes("StartupMessage"));
  },
);

/** Waits for the client's first word in TLS. */
function hello({ socket }: Peer): Promise<void> {
  return new Promise((resolve) => socket.once("data", () => resolve()));
}

driverTest(
  "has not defect 11: it tells the password in plain text after a handshake that failed",
  async (driver) => {
    const spoilTls = [
      expect("SSLRequest"),
      says("S"),
      hello,
      says("this is no TLS"),
    ];
    await showing(driver, async () => {
      await using server = await scriptedServer(spoilTls, [
        ...[expect("StartupMessage"), send(askForPassword())],
        ...[expect("PasswordMessage"), send(greeting())],
      ]);
      // These are its defaults.
      const tls = { enabled: true, enforce: false };
      const password = "secret";
      await (await bareClient(server.config, { tls, password })).connect();
      assertEquals(server.received[1], ["StartupMessage", "PasswordMessage"]);
    });
    await using server = await scriptedServer([...spoilTls, close()]);
    const { config, received } = server;
    for (const mode of MODES) {
      const error = await failure(driver.connect({ ...config, tls: { mode } }));
      assertMatch(error.message, /the TLS handshake failed/);
    }
    assertEquals(received.length, MODES.length);
    assert(!received.flat().includes("StartupMessage"));
  },
);

driverTest(
  "has not defect 11: it ignores sslrootcert, sslcert and sslkey in a URL",
  async (driver) => {
    await using server = await scriptedServer([...refuseTls, logIn()]);
    const urlWith = (...names: string[]) =>
      `postgres://root@127.0.0.1:${server.port}/db?sslmode=prefer` +
      names.map((name) => `&${name}=${NO_FILE}`).join("");
    await showing(driver, async () => {
      const url = urlWith("sslrootcert", "sslcert", "sslkey");
      const client = await bareClient(url);
      await client.connect();
      assertEquals(client.connected, true);
    });
    for (const names of [["sslrootcert"], ["sslcert", "sslkey"]]) {
      await assertRejects(
        () => driver.connect(resolveConfig({ url: urlWith(...names) })),
        ConfigError,
        NO_FILE,
      );
    }
    for (const name of ["sslcert", "sslkey"]) {
      const error = await assertRejects(
        async () => await driver.connect(resolveConfig({ url: urlWith(name) })),
        ConfigError,
      );
      assertMatch(error.message, /^Cannot use ssl(cert|key) without ssl/);
    }
  },
);

const { success } = await new Deno.Command("openssl", { args: ["version"] })
  .output().catch(() => ({ success: false }));

driverTest(
  "has not defect 11: require and verify-ca check all that verify-full does, and know no authority",
  async (driver) => {
    await using server = await greeter();
    const urlFor = (host: string, mode: string) =>
      `postgres://root@${host}:${server.port}/db?sslmode=${mode}`;
    const trusted = `&sslrootcert=${server.rootCert}`;
    const urls = [
      urlFor("localhost", "require"),
      urlFor("127.0.0.1", "verify-ca") + trusted,
      urlFor("localhost", "verify-full") + trusted,
    ];
    await showing(driver, async () => {
      for (const url of urls) {
        const client = await bareClient(url);
        const { message } = await assertRejects(() => client.connect(), Error);
        assertMatch(message, /UnknownIssuer/);
      }
      // Where the authority is known, the name is the next thing that has to be right.
      const caCertificates = [await Deno.readTextFile(server.rootCert)];
      const tls = { enabled: true, enforce: true, caCertificates };
      const config = resolveConfig({ url: urls[1] });
      const client = await bareClient(config, { tls });
      const { message } = await assertRejects(() => client.connect(), Error);
      assertMatch(message, /not valid for name/);
      assertNotMatch(message, /UnknownIssuer/);
    });
    for (const url of urls) {
      const session = await driver.connect(resolveConfig({ url }));
      assertEquals(session.parameters.server_version, "13.0.0");
      await session.close();
    }
  },
  { ignore: success ? undefined : "openssl is missing" },
);

/** Starts a server that lets clients in under TLS, by a certificate for `localhost`. */
async function greeter(): Promise<
  AsyncDisposable & { port: number; rootCert: string }
> {
  const folder = await Deno.makeTempDir({ prefix: "crdb_greeter_" });
  await makeCertificates(folder);
  const [cert, key] = await Promise.all(
    ["server.crt", "server.key"].map((name) =>
      Deno.readTextFile(join(folder, name))
    ),
  );
  const inner = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const greeting = greetAll(inner);
  // The request for TLS comes in plain text; what follows it is handed on as it is.
  const outer = createServer((near) => {
    near.once("data", () => {
      near.write("S");
      const far = connect(inner.addr.port, "127.0.0.1");
      for (const socket of [near, far]) socket.on("error", () => {});
      near.pipe(far).pipe(near);
    });
  });
  return {
    port: await listen(outer),
    rootCert: join(folder, "ca.crt"),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => outer.close(resolve));
      inner.close();
      await Promise.all([closed, greeting]);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function greetAll(listener: Deno.TlsListener): Promise<void> {
  const greeted: Promise<void>[] = [];
  while (true) {
    try {
      const conn = await listener.accept();
      // Clients that don't trust it leave.
      greeted.push(greet(conn).catch(() => {}));
    } catch {
      break;
    }
  }
  await Promise.all(greeted);
}

async function greet(conn: Deno.TlsConn): Promise<void> {
  const splitter = new FrameSplitter("client");
  for await (const bytes of conn.readable) {
    for (const { type } of splitter.push(bytes)) {
      if (type === "StartupMessage") await conn.write(greeting());
    }
  }
}

async function makeCertificates(cwd: string): Promise<void> {
  const openssl = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command("openssl", { args, cwd })
      .output();
    assert(success, new TextDecoder().decode(stderr));
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const request = (name: string, subject: string) => [
    ...["req", ...key, "-nodes", "-subj", `/CN=${subject}`],
    ...["-keyout", `${name}.key`],
  ];
  await openssl(
    ...[...request("ca", "crdb ca"), "-x509", "-days", "2", "-out", "ca.crt"],
  );
  await openssl(...request("server", "localhost"), "-out", "server.csr");
  await Deno.writeTextFile(
    join(cwd, "server.ext"),
    "subjectAltName=DNS:localhost\n",
  );
  await openssl(
    ...["x509", "-req", "-in", "server.csr", "-days", "2"],
    ...["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"],
    ...["-extfile", "server.ext", "-out", "server.crt"],
  );
}
