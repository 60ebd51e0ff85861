/**
 * What an `sslmode` means: the connections that are tried, what is verified, and what is said where it
 * fails.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { SslMode, TlsConfig } from "../../src/driver/driver.ts";
import {
  fallsBack,
  loadTlsOptions,
  TLS_REFUSED,
  tlsAttempts,
  tlsProblem,
  tlsSpoiled,
} from "../../src/driver/tls.ts";
import { ConfigError, DatabaseError } from "../../src/errors.ts";
import { MODES } from "../support/tls.ts";

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
  for (const key of ["MHcCAQEEISECRETKEYBODY", "MHcC/SECRET".repeat(500)]) {
    const loading = () =>
      loadTlsOptions({ mode: "require", cert: certificate, key }, "h");
    const error = await assertRejects(loading, ConfigError);
    assertEquals(
      error.message,
      "Cannot read the client key: what is given is neither PEM text nor the path of a file that can be read; give an existing PEM file in sslkey",
    );
    assert(!Deno.inspect(error, { depth: 9 }).includes("SECRET"));
  }
  assertEquals(
    await messageFor({ cert: certificate, key: "./no/such.key" }),
    'Cannot read the client key "./no/such.key": no such file; give an existing PEM file in sslkey',
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
