/**
 * Options, URL and environment: what there is, which of them comes first, and what is shown of it.
 *
 * @module
 */

import { runInNewContext } from "node:vm";
import { assert, assertEquals } from "@std/assert";
import {
  checkOptionNames,
  CONNECTION_OPTION_NAMES,
  type ConnectionOptions,
  grantedEnvironment,
  resolveConfig,
} from "../../src/driver/config.ts";
import { describeConfig } from "../../src/driver/shown.ts";
import {
  DEFAULTS,
  fromUrl,
  fromVariables,
  messageOf,
} from "../support/config.ts";

Deno.test("resolveConfig() without anything is root on this machine", () => {
  assertEquals(resolveConfig(), DEFAULTS);
  assertEquals(resolveConfig({}), DEFAULTS);
});

Deno.test("resolveConfig() takes every option", () => {
  const options: Required<Omit<ConnectionOptions, "url">> = {
    host: "db.example",
    port: 5433,
    database: "shop",
    user: "ann",
    password: "s3cret",
    sslMode: "verify-full",
    sslRootCert: "system",
    sslCert: "/c.crt",
    sslKey: "/c.key",
    applicationName: "till",
    sessionSettings: { search_path: "app" },
    connectTimeoutMs: 1_500,
  };
  assertEquals(resolveConfig(options), {
    host: "db.example",
    port: 5433,
    database: "shop",
    user: "ann",
    password: "s3cret",
    applicationName: "till",
    sessionSettings: { search_path: "app" },
    tls: {
      mode: "verify-full",
      rootCert: "system",
      cert: "/c.crt",
      key: "/c.key",
    },
    connectTimeoutMs: 1_500,
  });
});

Deno.test("resolveConfig() takes every PG* variable", () => {
  assertEquals(
    fromVariables({
      PGHOST: "db.example",
      PGPORT: "5433",
      PGDATABASE: "shop",
      PGUSER: "ann",
      PGPASSWORD: "s3cret",
      PGSSLMODE: "require",
      PGSSLROOTCERT: "/ca.crt",
      PGSSLCERT: "/c.crt",
      PGSSLKEY: "/c.key",
      PGAPPNAME: "till",
      PGOPTIONS: "--search_path=app",
      PGCONNECT_TIMEOUT: "3",
    }),
    {
      host: "db.example",
      port: 5433,
      database: "shop",
      user: "ann",
      password: "s3cret",
      applicationName: "till",
      sessionSettings: { search_path: "app" },
      tls: {
        mode: "require",
        rootCert: "/ca.crt",
        cert: "/c.crt",
        key: "/c.key",
      },
      connectTimeoutMs: 3_000,
    },
  );
});

Deno.test("resolveConfig() prefers option, url, DATABASE_URL, PG* in this order, a setting at a time", () => {
  const variables: Record<string, string> = {
    DATABASE_URL: "postgres://dora:d@d.example:2222/d",
    PGHOST: "p.example",
    PGPORT: "3333",
    PGDATABASE: "p",
    PGUSER: "pia",
    PGPASSWORD: "pw",
    PGAPPNAME: "p",
  };
  const read = (name: string) => variables[name];
  assertEquals(
    describeConfig(resolveConfig({}, read)),
    "dora@d.example:2222/d",
  );
  assertEquals(
    describeConfig(resolveConfig({ database: "o", port: 9 }, read)),
    "dora@d.example:9/o",
  );
  const config = resolveConfig(
    { url: "postgres://u.example/u", user: "olga" },
    read,
  );
  assertEquals(describeConfig(config), "olga@u.example:3333/u");
  assertEquals(config.password, "pw");
  assertEquals(config.applicationName, "p");
});

Deno.test("resolveConfig() takes nothing of DATABASE_URL where there is a url", () => {
  const config = resolveConfig(
    { url: "postgres://u.example" },
    (name) =>
      name === "DATABASE_URL"
        ? "postgres://ann:s3cret@d.example:1/d?sslmode=disable"
        : undefined,
  );
  assertEquals(config, {
    ...DEFAULTS,
    host: "u.example",
    tls: { mode: "verify-full" },
  });
});

Deno.test("resolveConfig() reads no variable that it doesn't need", () => {
  const read: string[] = [];
  const url =
    "postgres://a:b@localhost:1/d?sslmode=disable&application_name=x&connect_timeout=1&options=--a%3Db";
  resolveConfig({ url }, (name) => {
    read.push(name);
    return "nonsense";
  });
  assertEquals(read, []);
});

Deno.test("resolveConfig() takes an empty variable, option or URL part as not given", () => {
  assertEquals(
    fromVariables({ DATABASE_URL: "", PGHOST: "", PGPORT: "" }),
    DEFAULTS,
  );
  assertEquals(
    resolveConfig({ host: "", database: "", password: "", port: undefined }),
    DEFAULTS,
  );
  for (
    const url of [
      "postgres://",
      "postgres:///",
      "postgres://localhost/",
      "postgres://localhost:/?",
      "postgresql://:@localhost?&sslmode=&",
    ]
  ) assertEquals(fromUrl(url), DEFAULTS, url);
});

Deno.test("resolveConfig() names an unknown option and the one probably meant", () => {
  const cases: [string, string | undefined][] = [
    ["hostname", "host"],
    ["username", "user"],
    ["ssl", "sslMode"],
    ["sslmode", "sslMode"],
    ["application_name", "applicationName"],
    ["pasword", "password"],
    ["databse", "database"],
    ["connectTimeout", "connectTimeoutMs"],
    ["uri", "url"],
    ["frobnicate", undefined],
    ["__proto__x", undefined],
  ];
  for (const [name, meant] of cases) {
    const options = { [name]: "s3cret" } as ConnectionOptions;
    assertEquals(
      messageOf(() => resolveConfig(options)),
      `Cannot use the option "${name}": unknown option; ` +
        (meant === undefined
          ? `use only ${CONNECTION_OPTION_NAMES.join(", ")}`
          : `did you mean "${meant}"?`),
    );
  }
});

Deno.test("checkOptionNames() takes names beside those of the connection", () => {
  const known = [...CONNECTION_OPTION_NAMES, "pool"];
  checkOptionNames({ host: "a", pool: {} }, known);
  assertEquals(
    messageOf(() => checkOptionNames({ pools: {} }, known)),
    'Cannot use the option "pools": unknown option; did you mean "pool"?',
  );
});

Deno.test("checkOptionNames() says what was given in place of options, and never shows it", () => {
  const url = "postgres://ann:s3cret@prod.example/shop";
  const said = (options: unknown, known: string[]) =>
    messageOf(() => checkOptionNames(options as object, known));
  const cases: [unknown, string][] = [
    [url, "a string"],
    [5, "a number"],
    [() => url, "a function"],
    [null, "null"],
    [[], "an array"],
    [[url], "an array"],
    [new URL(url), "an instance of URL"],
    [new Map([["url", url]]), "an instance of Map"],
    [new AbortController().signal, "an instance of AbortSignal"],
    [Object.create({ url }), "an instance of Object"],
  ];
  for (const [options, kind] of cases) {
    const message = `Cannot use ${kind} as options: give an object, such as `;
    assertEquals(said(options, ["max"]), `${message}{ max: … }`);
    assertEquals(
      said(options, ["url"]),
      `${message}{ url: … }, or the address to Database.fromUrl(String(url))`,
    );
  }
  assertEquals(
    said({ [url]: 1 }, ["url"]),
    'Cannot use the option "postgres://ann:***@prod.example/shop": unknown option; use only url',
  );
});

Deno.test("checkOptionNames() takes objects of any kind that have options of their own", () => {
  class Options {
    host = "a";
  }
  const other = runInNewContext("({})");
  assert(Object.getPrototypeOf(other) !== Object.prototype);
  for (const options of [{}, Object.create(null), new Options(), other]) {
    checkOptionNames(options, CONNECTION_OPTION_NAMES);
  }
  class Others extends Options {
    hosts = "a";
  }
  assertEquals(
    messageOf(() => checkOptionNames(new Others(), ["host"])),
    'Cannot use the option "hosts": unknown option; did you mean "host"?',
  );
});

Deno.test({
  name: "grantedEnvironment() reads what is granted",
  permissions: { env: ["PGAPPNAME"] },
  fn() {
    Deno.env.set("PGAPPNAME", "till");
    try {
      assertEquals(grantedEnvironment()("PGAPPNAME"), "till");
    } finally {
      Deno.env.delete("PGAPPNAME");
    }
  },
});

Deno.test({
  name: "grantedEnvironment() takes a variable that isn't granted as not set",
  permissions: { env: ["PGAPPNAME"] },
  fn() {
    assertEquals(grantedEnvironment()("PGPASSWORD"), undefined);
    assertEquals(resolveConfig({}, grantedEnvironment()).user, "root");
  },
});
