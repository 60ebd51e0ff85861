/**
 * What a connection's URL says, and what is never shown of it.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { resolveConfig } from "../../src/driver/config.ts";
import type { ConnectionConfig } from "../../src/driver/driver.ts";
import { describeConfig } from "../../src/driver/shown.ts";
import { ConfigError } from "../../src/errors.ts";
import { DEFAULTS, fromUrl, fromVariables } from "../support/config.ts";

Deno.test("resolveConfig() takes every part of a URL", () => {
  assertEquals(
    fromUrl(
      "postgresql://ann:s3cret@db.example:5433/shop?sslmode=verify-ca&sslrootcert=/ca.crt&sslcert=/c.crt&sslkey=/c.key&application_name=till&connect_timeout=7&options=-c%20statement_timeout%3D5s",
    ),
    {
      host: "db.example",
      port: 5433,
      database: "shop",
      user: "ann",
      password: "s3cret",
      applicationName: "till",
      sessionSettings: { statement_timeout: "5s" },
      tls: {
        mode: "verify-ca",
        rootCert: "/ca.crt",
        cert: "/c.crt",
        key: "/c.key",
      },
      connectTimeoutMs: 7_000,
    },
  );
});

Deno.test("resolveConfig() takes connect_timeout=0 as no limit", () => {
  const { connectTimeoutMs } = resolveConfig({
    url: "postgres://localhost?connect_timeout=0",
  });
  assertEquals(connectTimeoutMs, 2_147_483_647);
});

Deno.test("resolveConfig() decodes percent escapes", () => {
  const config = fromUrl(
    "postgres://us%40er:p%3A%2F%3F%23%40%25@localhost/my%2Fdb%20%C3%A9",
  );
  assertEquals(config.user, "us@er");
  assertEquals(config.password, "p:/?#@%");
  assertEquals(config.database, "my/db é");
});

Deno.test("resolveConfig() keeps :, @ and # of a password that isn't escaped", () => {
  const config = fromUrl("postgres://ann:p:a@ss#1@localhost/shop");
  assertEquals(config.password, "p:a@ss#1");
  assertEquals(describeConfig(config), "ann@localhost:26257/shop");
});

Deno.test("resolveConfig() takes IPv6 hosts in brackets", () => {
  assertEquals(fromUrl("postgres://[::1]:5433/d").host, "::1");
  assertEquals(fromUrl("postgres://[::1]:5433/d").port, 5433);
  assertEquals(fromUrl("postgres://[2001:db8::7]/d").tls.mode, "verify-full");
  assertEquals(fromUrl("postgres://[fe80::1%25eth0]/d").host, "fe80::1%eth0");
  assertEquals(resolveConfig({ host: "[::1]" }).host, "::1");
  assertEquals(resolveConfig({ host: "::1" }).tls.mode, "disable");
});

Deno.test("resolveConfig() takes the folder of a socket", () => {
  const expected = {
    ...DEFAULTS,
    host: "/var/run/postgresql",
    database: "shop",
  };
  assertEquals(fromUrl("postgres:///shop?host=/var/run/postgresql"), expected);
  assertEquals(
    fromUrl("postgres://%2Fvar%2Frun%2Fpostgresql/shop"),
    expected,
  );
  assertEquals(
    fromVariables({ PGHOST: "/var/run/postgresql", PGDATABASE: "shop" }),
    expected,
  );
});

Deno.test("resolveConfig() takes an address of CockroachDB Cloud, with and without --cluster", () => {
  const host = "blue-bear-42.7tt.aws-eu-west-1.cockroachlabs.cloud";
  const url = `postgresql://ann:s3cret@${host}:26257/defaultdb`;
  const expected: ConnectionConfig = {
    ...DEFAULTS,
    host,
    user: "ann",
    password: "s3cret",
    tls: { mode: "verify-full" },
  };
  assertEquals(fromUrl(`${url}?sslmode=verify-full`), expected);
  assertEquals(fromUrl(url), expected);
  assertEquals(
    fromUrl(`${url}?sslmode=verify-full&options=--cluster%3Dblue-bear-42`),
    { ...expected, sessionSettings: { cluster: "blue-bear-42" } },
  );
  assertEquals(
    fromUrl(`${url}?options=--cluster=blue-bear-42`).sessionSettings,
    { cluster: "blue-bear-42" },
  );
});

Deno.test("resolveConfig() takes a URL that says one thing twice", () => {
  const config = fromUrl(
    "postgres://ann:pw@a.example:1/d?host=a.example&port=1&user=ann&password=pw&dbname=d",
  );
  assertEquals(describeConfig(config), "ann@a.example:1/d");
});

Deno.test("resolveConfig() shows no piece of a password, however badly a URL is written", () => {
  const urls = [
    "postgres://ann:s3cret%@localhost/d",
    "postgres://ann:s3cret%zz@localhost/d",
    "postgres://ann:s3cret%ff@localhost/d",
    "postgres://ann:s3cret%00@localhost/d",
    "postgres://ann:s3/s3cret@localhost/d",
    "postgres://ann:s3?s3cret@localhost/d",
    "postgres://ann:12/s3cret@localhost/d",
    "postgres://ann:12?s3cret@localhost/d",
    "postgres://ann:12?s3cret=1@localhost/d",
    "postgres://ann:x@s3cret/y@localhost/d",
    "postgres://ann:x@y?s3cret@localhost/d",
    "postgres://ann:s3cret",
    "postgres://ann:s3cret/d",
    "postgres:ann:s3cret@localhost/d",
    "ann:s3cret@localhost/d",
    "mysql://ann:s3cret@localhost/d",
    "postgres://ann:s3cret@a.example,b.example/d",
    "postgres://ann:s3cret@[::1/d",
    "postgres://ann:s3cret@localhost:port/d",
    "postgres://ann:s3cret@localhost/d?password=other",
    "postgres://ann:other@localhost/d?password=s3cret",
    "postgres://localhost/d?password=s3cret%",
    "postgres://ann:s3cret@localhost/d?nonsense=s3cret",
    "postgres://ann:s3cret@local host/d",
  ];
  for (const url of urls) {
    for (
      const fn of [
        () => fromUrl(url),
        () => fromVariables({ DATABASE_URL: url }),
        () => resolveConfig({ host: url }),
        () => fromVariables({ PGOPTIONS: `-c ${url}` }),
      ]
    ) {
      const error = assertThrows(fn, ConfigError);
      assert(!Deno.inspect(error).includes("s3cret"), error.message);
    }
  }
  const config = fromUrl("postgres://ann:s3cret@localhost/d");
  assert(!describeConfig(config).includes("s3cret"));
});
