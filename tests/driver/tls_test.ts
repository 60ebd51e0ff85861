import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type {
  ConnectionConfig,
  Driver,
  SslMode,
  TlsConfig,
} from "../../src/driver/driver.ts";
import { openStream } from "../../src/driver/socket.ts";
import {
  fallsBack,
  loadTlsOptions,
  TLS_REFUSED,
  tlsAttempts,
  tlsProblem,
  tlsSpoiled,
} from "../../src/driver/tls.ts";
import { ConfigError, DatabaseError } from "../../src/errors.ts";
import { drivers, driverTest } from "../support/drivers.ts";
import {
  close,
  expect,
  logIn,
  loopback,
  type Peer,
  reset,
  type ScriptedServer,
  scriptedServer,
  send,
  type Step,
} from "../support/scripted_server.ts";
import {
  startTlsServer,
  type TlsServer,
  tlsServerMissing,
} from "../support/tls_server.ts";

const MODES: readonly SslMode[] = [
  "disable",
  "allow",
  "prefer",
  "require",
  "verify-ca",
  "verify-full",
];

const ERRORS: Readonly<Record<string, unknown>> = {
  refused: new Error(TLS_REFUSED),
  certificate: new DatabaseError({ code: "08006", message: "lost" }, {
    cause: Object.assign(new Error("old"), { code: "CERT_HAS_EXPIRED" }),
  }),
  insists: new DatabaseError({ code: "28000", message: "no encryption" }),
  secure: new DatabaseError({ code: "08P01", message: "SSL required" }),
  password: new DatabaseError({ code: "28P01", message: "wrong password" }),
  spoiled: tlsSpoiled("plain text"),
  unreached: Object.assign(new Error("refused"), { code: "ECONNREFUSED" }),
};

Deno.test("tlsAttempts() speaks plain text only under disable, allow and prefer", () => {
  assertEquals(
    Object.fromEntries(MODES.map((mode) => [mode, tlsAttempts(mode)])),
    {
      disable: ["plain"],
      allow: ["plain", "tls"],
      prefer: ["tls", "plain"],
      require: ["tls"],
      "verify-ca": ["tls"],
      "verify-full": ["tls"],
    },
  );
});

Deno.test("fallsBack() goes on where the mode says so, and never after a wrong password", () => {
  const names = (mode: SslMode) =>
    Object.keys(ERRORS).filter((name) => fallsBack(mode, ERRORS[name]));
  assertEquals(Object.fromEntries(MODES.map((mode) => [mode, names(mode)])), {
    disable: [],
    allow: ["insists", "secure"],
    prefer: ["refused", "certificate", "insists"],
    require: [],
    "verify-ca": [],
    "verify-full": [],
  });
});

Deno.test("tlsProblem() says what is wrong and what to do", () => {
  const problem = (code: string) =>
    tlsProblem(Object.assign(new Error("because"), { code }));
  assertEquals(
    problem("CERT_HAS_EXPIRED"),
    "the server's certificate has expired; renew it",
  );
  assertEquals(
    problem("SELF_SIGNED_CERT_IN_CHAIN"),
    "the server's certificate is of an unknown authority (because); give the authority's certificate in sslrootcert",
  );
  assertEquals(
    problem("ERR_TLS_CERT_ALTNAME_INVALID"),
    "the server's certificate is for another name (because); connect by a name in the certificate, or choose sslmode=verify-ca",
  );
  assertEquals(problem("EPROTO"), "the TLS handshake failed: because");
  assertEquals(problem("ECONNREFUSED"), undefined);
  assertEquals(tlsProblem("because"), undefined);
});

Deno.test("loadTlsOptions() verifies what the mode promises", async () => {
  const rootCert = "-----BEGIN CERTIFICATE-----\n…";
  const verified = async (mode: SslMode, rootCert?: string) => {
    const options = await loadTlsOptions({ mode, rootCert }, "localhost");
    // deno-lint-ignore no-explicit-any
    const stranger = { subject: { CN: "other" }, subjectaltname: "" } as any;
    const name = options.checkServerIdentity("", stranger) !== undefined;
    return { authority: options.rejectUnauthorized, name };
  };
  const nothing = { authority: false, name: false };
  const authority = { authority: true, name: false };
  for (const mode of ["allow", "prefer", "require"] as const) {
    assertEquals(await verified(mode), nothing);
    assertEquals(await verified(mode, rootCert), authority);
  }
  assertEquals(await verified("verify-ca"), authority);
  assertEquals(await verified("verify-full"), { authority: true, name: true });
});

Deno.test("loadTlsOptions() names the server, unless it is an address", async () => {
  const nameFor = async (host: string) =>
    (await loadTlsOptions({ mode: "verify-full" }, host)).servername;
  assertEquals(await nameFor("db.test"), "db.test");
  assertEquals(await nameFor("127.0.0.1"), undefined);
  assertEquals(await nameFor("::1"), undefined);
});

Deno.test("loadTlsOptions() leaves the authorities to the runtime where none is given", async () => {
  for (const rootCert of [undefined, "system"]) {
    const options = await loadTlsOptions(
      { mode: "verify-full", rootCert },
      "h",
    );
    assertEquals("ca" in options, false);
  }
});

Deno.test("loadTlsOptions() says which file is of no use, and never shows a key", async () => {
  const messageFor = async (tls: Partial<TlsConfig>) => {
    const loading = () => loadTlsOptions({ mode: "verify-full", ...tls }, "h");
    return (await assertRejects(loading, ConfigError)).message;
  };
  const certificate = "-----BEGIN CERTIFICATE-----\n…";
  const here = fromFileUrl(import.meta.url);
  assertEquals(
    await messageFor({ rootCert: "./no/such.crt" }),
    'Cannot read the root certificate "./no/such.crt": no such file; give an existing PEM file in sslrootcert',
  );
  assertEquals(
    await messageFor({ rootCert: "." }),
    'Cannot read the root certificate ".": it is a folder; give an existing PEM file in sslrootcert',
  );
  assertEquals(
    await messageFor({ rootCert: here.replace("tls_test", "limit_test") }),
    `Cannot use the root certificate "${
      here.replace("tls_test", "limit_test")
    }": it holds no PEM of that kind; give a PEM file in sslrootcert`,
  );
  assertEquals(
    await messageFor({ cert: certificate, key: certificate }),
    "Cannot use the client key in sslkey: it holds no PEM of that kind; give a PEM file in sslkey",
  );
  assertEquals(
    await messageFor({
      cert: certificate,
      key: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0",
    }),
    "Cannot use the client key in sslkey: it is locked with a passphrase; give a key without one in sslkey",
  );
  assertEquals(
    await messageFor({ cert: certificate }),
    "Cannot use sslcert without sslkey; give both, or neither",
  );
  assertEquals(
    await messageFor({ key: "k" }),
    "Cannot use sslkey without sslcert; give both, or neither",
  );
});

async function refusal(
  driver: Driver,
  config: ConnectionConfig,
): Promise<DatabaseError> {
  return await assertRejects(() => driver.connect(config), DatabaseError);
}

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

const missing = await tlsServerMissing();

for (const { driver, reason = missing } of drivers) {
  const name = `${driver.name} keeps to sslmode and certificates`;
  Deno.test({
    name: reason === undefined ? name : `${name} [ignored: ${reason}]`,
    ignore: reason !== undefined,
    async fn(t) {
      await using server = await startTlsServer();
      for (const [name, step] of Object.entries(STEPS)) {
        await t.step(name, () => step(driver, server));
      }
    },
  });
}

function configFor(
  server: TlsServer,
  options: Partial<ConnectionConfig>,
): ConnectionConfig {
  return {
    ...loopback(server.port),
    host: "localhost",
    database: "postgres",
    user: "postgres",
    ...options,
  };
}

async function isEncrypted(
  driver: Driver,
  config: ConnectionConfig,
): Promise<boolean> {
  const session = await driver.connect(config);
  try {
    const { rows } = await session.query(
      "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    return rows[0][0] === "t";
  } finally {
    await session.close();
  }
}

const STEPS: Readonly<
  Record<string, (driver: Driver, server: TlsServer) => Promise<void>>
> = {
  async "each mode protects as it promises"(driver, server) {
    const rootCert = server.path("ca.crt");
    for (const mode of MODES.slice(1)) {
      const config = configFor(server, { tls: { mode, rootCert } });
      assertEquals([mode, await isEncrypted(driver, config)], [mode, true]);
    }
    const plain = { user: "plain_user" };
    for (const mode of ["disable", "allow", "prefer"] as const) {
      const config = configFor(server, { ...plain, tls: { mode } });
      assertEquals([mode, await isEncrypted(driver, config)], [mode, false]);
    }
  },

  async "allow and prefer speak no TLS to another authority's server"(
    driver,
    server,
  ) {
    const rootCert = server.path("other.crt");
    for (const mode of ["allow", "prefer"] as const) {
      const config = configFor(server, { tls: { mode, rootCert } });
      await refusal(driver, config);
    }
  },

  async "disable is refused by a server that insists on TLS"(driver, server) {
    const error = await refusal(
      driver,
      configFor(server, { tls: { mode: "disable" } }),
    );
    assertEquals(error.code, "28000");
    assertMatch(error.message, /no encryption/);
  },

  async "require takes any certificate, unless an authority is given"(
    driver,
    server,
  ) {
    const mode = "require";
    assertEquals(
      await isEncrypted(driver, configFor(server, { tls: { mode } })),
      true,
    );
    const rootCert = server.path("other.crt");
    const error = await refusal(
      driver,
      configFor(server, { tls: { mode, rootCert } }),
    );
    assertMatch(error.message, /unknown authority/);
  },

  async "verify-ca and verify-full refuse an unknown authority"(
    driver,
    server,
  ) {
    for (const mode of ["verify-ca", "verify-full"] as const) {
      for (const rootCert of [undefined, "system", server.path("other.crt")]) {
        const tls = { mode, rootCert };
        const error = await refusal(driver, configFor(server, { tls }));
        assertEquals(error.code, "08001");
        assertMatch(error.message, /unknown authority .* sslrootcert$/);
      }
    }
  },

  async "only verify-full checks the name"(driver, server) {
    const rootCert = await Deno.readTextFile(server.path("ca.crt"));
    const host = "127.0.0.1";
    const loose = { mode: "verify-ca", rootCert } as const;
    assertEquals(
      await isEncrypted(driver, configFor(server, { host, tls: loose })),
      true,
    );
    const strict = { mode: "verify-full", rootCert } as const;
    const error = await refusal(
      driver,
      configFor(server, { host, tls: strict }),
    );
    assertMatch(error.message, /certificate is for another name/);
  },

  async "a client certificate logs in, and its absence is told"(
    driver,
    server,
  ) {
    const tls = {
      mode: "verify-full",
      rootCert: server.path("ca.crt"),
    } as const;
    const user = "cert_user";
    const [cert, key] = [server.path("client.crt"), server.path("client.key")];
    const config = configFor(server, { user, tls: { ...tls, cert, key } });
    assertEquals(await isEncrypted(driver, config), true);
    const error = await refusal(driver, configFor(server, { user, tls }));
    assertEquals(error.code, "28000");
    assertMatch(error.message, /client certificate/);
    const other = { ...tls, cert, key: server.path("server.key") };
    await assertRejects(
      () => driver.connect(configFor(server, { user, tls: other })),
      ConfigError,
      "Cannot use sslcert with sslkey: the key is another certificate's",
    );
  },

  async "SCRAM works over TLS, and failures keep 28P01"(driver, server) {
    const tls = {
      mode: "verify-full",
      rootCert: server.path("ca.crt"),
    } as const;
    const user = "scram_user";
    const withPassword = (password?: string) =>
      configFor(server, { user, tls, password });
    assertEquals(await isEncrypted(driver, withPassword("right")), true);
    const wrong = await refusal(driver, withPassword("wrong"));
    assertEquals([wrong.code, wrong.kind], ["28P01", "permission"]);
    const none = await refusal(driver, withPassword());
    assertEquals(none.code, "28P01");
    assertEquals(
      none.message,
      'Cannot log in as "scram_user": the server asks for a password and none is given; give one, or the client certificate of a secure CockroachDB (sslcert, sslkey)',
    );
  },

  async "streams, cancellation and the end of the server work over TLS"(
    driver,
    server,
  ) {
    const tls = {
      mode: "verify-full",
      rootCert: server.path("ca.crt"),
    } as const;
    const session = await driver.connect(configFor(server, { tls }));
    let count = 0;
    const text = "SELECT i, repeat('x', 100) FROM generate_series(1, 50000) i";
    for await (const { rows } of session.stream(text)) count += rows.length;
    assertEquals(count, 50_000);
    const sleeping = () =>
      session.query("SELECT pg_sleep(60)", [], { timeoutMs: 50 });
    assertEquals((await assertRejects(sleeping, DatabaseError)).code, "57014");
    const killing = () =>
      session.query("SELECT pg_terminate_backend(pg_backend_pid())");
    assertEquals((await assertRejects(killing, DatabaseError)).code, "57P01");
    assertEquals(session.broken, true);
    await session.close();
  },

  async "an expired certificate is refused by name, except where nothing is verified"(
    driver,
    server,
  ) {
    await server.present("expired");
    const rootCert = server.path("ca.crt");
    for (const mode of ["verify-ca", "verify-full"] as const) {
      const error = await refusal(
        driver,
        configFor(server, { tls: { mode, rootCert } }),
      );
      assertMatch(
        error.message,
        /the server's certificate has expired; renew it$/,
      );
    }
    const tls = { mode: "require" } as const;
    assertEquals(await isEncrypted(driver, configFor(server, { tls })), true);
  },

  async "a Unix socket has no TLS, whatever the mode"(driver, server) {
    const host = server.path(".").replace(/\/\.?$/, "");
    const tls = { mode: "verify-full" } as const;
    assertEquals(
      await isEncrypted(driver, configFor(server, { host, tls })),
      false,
    );
  },
};
