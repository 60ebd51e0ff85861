import { assertEquals, assertThrows } from "@std/assert";
import {
  addressing,
  assureNeeds,
  connecting,
  reading,
  writing,
} from "../../src/cli/permissions.ts";

Deno.test("connecting() needs the server's address and the certificates' files", () => {
  const tls = {
    mode: "verify-full",
    rootCert: "ca.pem",
    cert: "-----BEGIN CERTIFICATE-----",
    key: "key.pem",
  } as const;
  const needs = connecting({ host: "::1", port: 5432, tls });
  assertEquals(needs.map(({ flags }) => flags), [
    "--allow-net=[::1]:5432",
    "--allow-read=ca.pem",
    "--allow-read=key.pem",
  ]);
});

Deno.test("connecting() needs the path of a Unix socket", () => {
  const tls = { mode: "disable" } as const;
  const [need] = connecting({ host: "/run/pg", port: 5432, tls });
  assertEquals(
    need.flags,
    "--allow-net=unix:/run/pg/.s.PGSQL.5432 --allow-read=/run/pg/.s.PGSQL.5432 --allow-write=/run/pg/.s.PGSQL.5432",
  );
});

Deno.test({
  name: "assureNeeds() names what is missing with its flag, and nothing else",
  permissions: { read: true, write: false, net: ["db.test:26257"] },
  fn() {
    const tls = { mode: "disable" } as const;
    const needs = [
      reading("./migrations"),
      writing("./migrations"),
      ...connecting({ host: "db.test", port: 26257, tls }),
      ...connecting({ host: "db.test", port: 26258, tls }),
    ];
    const error = assertThrows(
      () => assureNeeds(needs),
      Deno.errors.NotCapable,
    );
    assertEquals(
      error.message,
      "Cannot write into ./migrations: no permission; run again with --allow-write=./migrations\n" +
        "Cannot connect to db.test:26258: no permission; run again with --allow-net=db.test:26258",
    );
    assureNeeds([needs[0], needs[2]]);
  },
});

Deno.test({
  name: "addressing() is met by either variable",
  permissions: { env: ["PGHOST"] },
  fn: () => assertEquals(addressing(), undefined),
});

Deno.test({
  name: "addressing() asks for DATABASE_URL where nothing may be read",
  permissions: { env: false },
  fn: () =>
    assertEquals(
      addressing()?.flags,
      "--allow-env=DATABASE_URL, or with --url",
    ),
});
