/**
 * What is shown of a connection, and what isn't.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  describeConfig,
  isKeyPath,
  redact,
  withoutSecrets,
} from "../../src/driver/shown.ts";
import { DEFAULTS } from "../support/config.ts";

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
    ["1.postgres://u:s3cret@h", "1.postgres://u:***@h"],
    ["postgres://h/d?password=s3cret&x=1", "postgres://h/d?password=***&x=1"],
    ["PGPASSWORD=s3cret psql", "PGPASSWORD=*** psql"],
    ["host=h password='s3 \\' cret' user=u", "host=h password=*** user=u"],
    ['{"password": "s3 \\" cret"}', '{"password": ***}'],
    ["{ password: 's3cret' }", "{ password: *** }"],
    [
      "CREATE ROLE a WITH PASSWORD 's3''cret' VALID UNTIL 'x'",
      "CREATE ROLE a WITH PASSWORD *** VALID UNTIL 'x'",
    ],
    ["ALTER ROLE a PASSWORD E's3\\'cret'", "ALTER ROLE a PASSWORD E***"],
    [
      "ALTER ROLE a PASSWORD /* c */ U&'s3cret'",
      "ALTER ROLE a PASSWORD /* c */ U&***",
    ],
    ["ALTER ROLE a PASSWORD $x$s3$c$ret$x$;", "ALTER ROLE a PASSWORD ***;"],
    ["CREATE ROLE a PASSWORD 's3cret\\'", "CREATE ROLE a PASSWORD ***"],
    ["CREATE ROLE a PASSWORD 's3cr", "CREATE ROLE a PASSWORD ***"],
    ["the password 'is' wrong", "the password *** wrong"],
    [
      "password authentication failed for user ann",
      "password authentication failed for user ann",
    ],
    ["postgres://ann@localhost:26257/d", "postgres://ann@localhost:26257/d"],
  ];
  for (const [text, expected] of cases) assertEquals(redact(text), expected);
});

Deno.test("redact() is through with a long word at once", () => {
  const word = "a".repeat(100_000);
  const start = performance.now();
  assertEquals(redact(word), word);
  assert(performance.now() - start < 2_000);
});

const KEY_TEXTS = [
  "MHcCAQEEISECRETKEYBODY",
  "MHcCAQEE/SECRET+KEY/BODY==",
  "MHcCAQEE\nISECRET\nKEYBODY",
  "----BEGIN EC PRIVATE KEY----\nMHcC\n",
  "-----BEGIN EC PRIVATE KEY-----\nMHcC\n",
  "/HcCAQEE\nISECRET.KEYBODY",
];
const KEY_PATHS = [
  ...["/etc/ssl/key", "~/key", "./key", "../certs/key", "client.key"],
  ...["certs/client.root.key", "C:\\certs\\client.key"],
];

Deno.test("isKeyPath() tells paths from what may be the text of a key", () => {
  for (const text of KEY_TEXTS) {
    assertEquals([text, isKeyPath(text)], [text, false]);
  }
  for (const path of KEY_PATHS) {
    assertEquals([path, isKeyPath(path)], [path, true]);
  }
});

Deno.test("withoutSecrets() leaves out the password, and what may be the text of a key", () => {
  const shown = (key: string) => {
    const tls = { mode: "require", cert: "/c.crt", key } as const;
    return withoutSecrets({ ...DEFAULTS, password: "s3cret", tls });
  };
  const tls = { mode: "require", cert: "/c.crt" } as const;
  for (const key of KEY_TEXTS) {
    assertEquals(shown(key), { ...DEFAULTS, tls });
  }
  for (const key of KEY_PATHS) {
    assertEquals(shown(key), { ...DEFAULTS, tls: { ...tls, key } });
  }
});
