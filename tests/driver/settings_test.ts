/**
 * The settings of a connection one by one: what each may be, and what is refused.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { resolveConfig } from "../../src/driver/config.ts";
import type { SslMode } from "../../src/driver/driver.ts";
import { fromUrl, fromVariables, messageOf } from "../support/config.ts";

Deno.test("resolveConfig() speaks plain text by default to this machine only", () => {
  const hosts: [string, SslMode][] = [
    ["localhost", "disable"],
    ["LOCALHOST", "disable"],
    ["127.0.0.1", "disable"],
    ["127.9.8.7", "disable"],
    ["::1", "disable"],
    ["/tmp", "disable"],
    ["127.0.0.1.example", "verify-full"],
    ["127.example", "verify-full"],
    ["localhost.example", "verify-full"],
    ["10.0.0.1", "verify-full"],
    ["::2", "verify-full"],
    ["db", "verify-full"],
  ];
  for (const [host, mode] of hosts) {
    assertEquals(resolveConfig({ host }).tls.mode, mode, host);
  }
});

Deno.test("resolveConfig() uses TLS on this machine too where a certificate is given", () => {
  assertEquals(resolveConfig({ sslRootCert: "/ca.crt" }).tls, {
    mode: "verify-full",
    rootCert: "/ca.crt",
  });
});

Deno.test("resolveConfig() has no use for certificates under sslmode=disable", () => {
  const files = { sslRootCert: "system", sslCert: "/c.crt" };
  assertEquals(resolveConfig({ sslMode: "disable", ...files }).tls, {
    mode: "disable",
  });
  const { tls } = fromUrl(
    "postgres://localhost?sslmode=disable&sslrootcert=a&sslcert=b&sslkey=c",
  );
  assertEquals(tls, { mode: "disable" });
});

Deno.test("resolveConfig() lets sslmode=disable go before certificates of variables", () => {
  const config = resolveConfig(
    { sslMode: "disable" },
    (name) => name.startsWith("PGSSL") ? "/some.crt" : undefined,
  );
  assertEquals(config.tls, { mode: "disable" });
});

Deno.test("resolveConfig() reads all forms of PGOPTIONS", () => {
  const settings = (PGOPTIONS: string) =>
    fromVariables({ PGOPTIONS }).sessionSettings;
  assertEquals(settings("-c a=1 -cb=2  --c=3"), { a: "1", b: "2", c: "3" });
  assertEquals(settings("--search-path=x"), { search_path: "x" });
  assertEquals(settings("-c a=b\\ c\\\\d"), { a: "b c\\d" });
  assertEquals(settings("-c a=1 -c a=2"), { a: "2" });
  assertEquals(settings("-c a="), { a: "" });
  assertEquals(settings("-c a=b=c"), { a: "b=c" });
  assertEquals(settings("-c my.setting=1"), { "my.setting": "1" });
  assertEquals(
    Object.getPrototypeOf(settings("-c __proto__=1")),
    Object.prototype,
  );
  for (const bad of ["-c", "-c a", "--a", "-d 5", "a=1", "-c =1"]) {
    assert(
      messageOf(() => settings(bad)).includes(
        "sets nothing; write each setting as -c name=value or --name=value",
      ),
      bad,
    );
  }
});

Deno.test("resolveConfig() merges sessionSettings over those of the URL, or else of PGOPTIONS", () => {
  const read = (name: string) =>
    name === "PGOPTIONS" ? "-c a=env -c c=env" : undefined;
  const sessionSettings = { a: "option" };
  assertEquals(resolveConfig({ sessionSettings }, read).sessionSettings, {
    a: "option",
    c: "env",
  });
  const url = "postgres://localhost?options=-ca%3Durl%20-cb%3Durl";
  assertEquals(
    resolveConfig({ url, sessionSettings }, read).sessionSettings,
    { a: "option", b: "url" },
  );
});

Deno.test("resolveConfig() refuses what it doesn't understand, with a remedy", () => {
  const cases: [() => unknown, string][] = [
    [
      () => fromUrl("postgres://localhost/d?ssl=true"),
      'Cannot use url: unknown parameter "ssl"; use only sslmode, sslrootcert, sslcert, sslkey, application_name, options, connect_timeout, host, port, dbname, user, password',
    ],
    [
      () => fromUrl("cockroachdb://localhost/d"),
      "Cannot read url: unknown scheme cockroachdb://; begin it with postgresql://",
    ],
    [
      () => fromUrl(""),
      "Cannot read url: it is no URL; begin it with postgresql://",
    ],
    [
      () => fromVariables({ DATABASE_URL: "localhost:26257" }),
      "Cannot read DATABASE_URL: it is no URL; begin it with postgresql://",
    ],
    [
      () => fromUrl("postgres://a:1,b:2/d"),
      "Cannot use url: it names several hosts; give one, such as a load balancer's",
    ],
    [
      () => fromVariables({ PGHOST: "a,b" }),
      "Cannot use PGHOST: it names several hosts; give one, such as a load balancer's",
    ],
    [
      () => fromUrl("postgres://localhost:0/d"),
      "Cannot use the port in url: give a whole number from 1 to 65535",
    ],
    [
      () => fromVariables({ PGPORT: "65536" }),
      "Cannot use PGPORT: give a whole number from 1 to 65535",
    ],
    [
      () => resolveConfig({ port: 1.5 }),
      "Cannot use the option port: give a whole number from 1 to 65535",
    ],
    [
      () => resolveConfig({ connectTimeoutMs: 0 }),
      "Cannot use the option connectTimeoutMs: give a whole number from 1 to 2147483647",
    ],
    [
      () => fromUrl("postgres://localhost?connect_timeout=soon"),
      "Cannot use the parameter connect_timeout in url: give a whole number from 1 to 2147483",
    ],
    [
      () => fromUrl("postgres://localhost?sslmode=on"),
      "Cannot use the parameter sslmode in url: unknown mode; give one of disable, allow, prefer, require, verify-ca, verify-full",
    ],
    [
      () => fromUrl("postgres://[::1/d"),
      "Cannot read the host in url: write an IPv6 address as [::1] or [::1]:26257",
    ],
    [
      () => resolveConfig({ host: "localhost:26257" }),
      "Cannot use the option host: it is no host name, address or absolute folder; give the host alone, and the port beside it",
    ],
    [
      () => resolveConfig({ user: null as unknown as string }),
      "Cannot use the option user: it is not a string; give a string",
    ],
    [
      () => fromUrl("postgres://localhost/a%00b"),
      "Cannot use the database in url: it holds a NUL character; remove it",
    ],
    [
      () => resolveConfig({ sessionSettings: { user: "eve" } }),
      'Cannot set "user" in the option sessionSettings: it belongs to the connection itself; use the connection\'s own options',
    ],
    [
      () => resolveConfig({ sessionSettings: { "a b": "1" } }),
      "Cannot use the option sessionSettings: a setting has no valid name; give letters, digits, _ and .",
    ],
    [
      () => resolveConfig({ sessionSettings: { a: 1 as unknown as string } }),
      'Cannot use "a" in the option sessionSettings: it is not a string; give a string',
    ],
  ];
  for (const [fn, message] of cases) assertEquals(messageOf(fn), message);
});

Deno.test("resolveConfig() refuses what contradicts itself, naming both", () => {
  const cases: [() => unknown, string][] = [
    [
      () => fromUrl("postgres://a.example/d?host=b.example"),
      "Cannot use url: its host and its parameter host differ; give one of them",
    ],
    [
      () => fromUrl("postgres://ann@a.example/d?user=eve"),
      "Cannot use url: its user and its parameter user differ; give one of them",
    ],
    [
      () => fromUrl("postgres://a.example/d?sslmode=require&sslmode=disable"),
      "Cannot use url: its parameter sslmode and its parameter sslmode differ; give one of them",
    ],
    [
      () => fromUrl("postgres://localhost?sslmode=require&sslrootcert=system"),
      "Cannot use sslrootcert=system with sslmode=require: anyone can get a certificate of a public authority; use sslmode=verify-full",
    ],
    [
      () => resolveConfig({ sslCert: "/c.crt" }),
      "Cannot use sslcert without sslkey: a client certificate needs both; give sslkey too",
    ],
    [
      () => resolveConfig({ sslKey: "/c.key" }),
      "Cannot use sslkey without sslcert: a client certificate needs both; give sslcert too",
    ],
  ];
  for (const [fn, message] of cases) assertEquals(messageOf(fn), message);
});
