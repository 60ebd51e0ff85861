import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  checkOptionNames,
  CONNECTION_OPTION_NAMES,
  type ConnectionOptions,
  describeConfig,
  grantedEnvironment,
  redact,
  resolveConfig,
} from "../../src/driver/config.ts";
import type { ConnectionConfig, SslMode } from "../../src/driver/driver.ts";
import { ConfigError } from "../../src/errors.ts";

const DEFAULTS: ConnectionConfig = {
  host: "localhost",
  port: 26257,
  database: "defaultdb",
  user: "root",
  applicationName: "crdb",
  sessionSettings: {},
  tls: { mode: "disable" },
  connectTimeoutMs: 10_000,
};

function fromUrl(url: string): ConnectionConfig {
  return resolveConfig({ url });
}

function fromVariables(variables: Record<string, string>): ConnectionConfig {
  return resolveConfig({}, (name) => variables[name]);
}

function messageOf(fn: () => unknown): string {
  return assertThrows(fn, ConfigError).message;
}

Deno.test("resolveConfig() without anything is root on this machine", () => {
  assertEquals(resolveConfig(), DEFAULTS);
  assertEquals(resolveConfig({}), DEFAULTS);
});

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

Deno.test("resolveConfig() takes a URL that says one thing twice", () => {
  const config = fromUrl(
    "postgres://ann:pw@a.example:1/d?host=a.example&port=1&user=ann&password=pw&dbname=d",
  );
  assertEquals(describeConfig(config), "ann@a.example:1/d");
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

Deno.test("describeConfig() names user, server and database", () => {
  assertEquals(describeConfig(DEFAULTS), "root@localhost:26257/defaultdb");
  assertEquals(
    describeConfig({ ...DEFAULTS, host: "::1" }),
    "root@[::1]:26257/defaultdb",
  );
  assertEquals(
    describeConfig({ ...DEFAULTS, host: "/tmp" }),
    "root@[/tmp]:26257/defaultdb",
  );
});

Deno.test("redact() takes passwords out of any text", () => {
  const cases: [string, string][] = [
    [
      "at postgres://ann:s3cret@localhost/d and",
      "at postgres://ann:***@localhost/d and",
    ],
    ["postgresql://:s3@cr/et@h", "postgresql://:***@h"],
    ["postgres://h/d?password=s3cret&x=1", "postgres://h/d?password=***&x=1"],
    ["PGPASSWORD=s3cret psql", "PGPASSWORD=*** psql"],
    ["host=h password='s3 \\' cret' user=u", "host=h password=*** user=u"],
    ['{"password": "s3 \\" cret"}', '{"password": ***}'],
    ["{ password: 's3cret' }", "{ password: *** }"],
    [
      "password authentication failed for user ann",
      "password authentication failed for user ann",
    ],
    ["postgres://ann@localhost:26257/d", "postgres://ann@localhost:26257/d"],
  ];
  for (const [text, expected] of cases) assertEquals(redact(text), expected);
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
