/**
 * Drivers on a real server that speaks TLS, in every `sslmode` and with certificates.
 *
 * @module
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { ConnectionConfig, Driver } from "../../src/driver/driver.ts";
import { ConfigError, DatabaseError } from "../../src/errors.ts";
import { drivers } from "../support/drivers.ts";
import { loopback } from "../support/scripted_server.ts";
import { MODES, refusal } from "../support/tls.ts";
import {
  startTlsServer,
  type TlsServer,
  tlsServerMissing,
} from "../support/tls_server.ts";

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
