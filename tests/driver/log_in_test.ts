import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import type { ConnectionConfig, Driver } from "../../src/driver/driver.ts";
import { LogIn } from "../../src/driver/log_in.ts";
import { scramProof } from "../../src/driver/scram.ts";
import { DatabaseError } from "../../src/errors.ts";
import { drivers, driverTest } from "../support/drivers.ts";
import {
  expect,
  loopback,
  type Peer,
  scriptedServer,
  send,
  type Step,
} from "../support/scripted_server.ts";
import { startTlsServer, tlsServerMissing } from "../support/tls_server.ts";
import { concat, frame, greeting } from "../support/wire.ts";

const PART_MISSING =
  "the server leaves out a part of the log-in, and hasn't shown that it knows the password; check host and port";

const ZERO = new Uint8Array(1);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** The body of an Authentication frame. */
const request = (...parts: (string | number | Uint8Array)[]) =>
  frame("R", ...parts).subarray(5);

Deno.test("LogIn sends a password in clear text, or hashed with MD5", async () => {
  const config = { user: "jörg", password: "ge heim" };
  assertEquals(
    await new LogIn(config).answer(request(3)),
    frame("p", "ge heim"),
  );
  assertEquals(
    await new LogIn(config).answer(request(5, 0x01020304)),
    frame("p", "md58be2d4b40f714fb30040e08bb667ebe2"),
  );
});

Deno.test("LogIn is done where the server lets the session in", async () => {
  const logIn = new LogIn({ user: "root", password: "x" });
  assertThrows(() => logIn.checkDone(), Error, PART_MISSING);
  assertEquals(await logIn.answer(request(0)), undefined);
  logIn.checkDone();
  await assertRejects(() => logIn.answer(request(3)), Error, PART_MISSING);
});

Deno.test("LogIn says that a password is missing", async () => {
  const sasl = [10, "SCRAM-SHA-256", ZERO];
  for (const asked of [[3], [5, 7], sasl]) {
    const error = await assertRejects(
      () => new LogIn({ user: "root" }).answer(request(...asked)),
      DatabaseError,
      'Cannot log in as "root": the server asks for a password and none is given; give one, or the client certificate of a secure CockroachDB (sslcert, sslkey)',
    );
    assertEquals([error.code, error.kind], ["28P01", "permission"]);
  }
});

Deno.test("LogIn names what it doesn't support", async () => {
  const reason = async (...parts: (string | number | Uint8Array)[]) => {
    const logIn = new LogIn({ user: "root", password: "x" });
    return (await assertRejects(() => logIn.answer(request(...parts)), Error))
      .message;
  };
  assertEquals(
    await reason(10, "SCRAM-SHA-512", "OAUTHBEARER", ZERO),
    "the server asks for a log-in by SCRAM-SHA-512, OAUTHBEARER only; let it offer SCRAM-SHA-256",
  );
  assertEquals(
    await reason(10),
    "the server asks for a log-in by nothing only; let it offer SCRAM-SHA-256",
  );
  assertEquals(
    await reason(7),
    "the server asks for a log-in of a kind that isn't supported (7); let it ask for SCRAM-SHA-256",
  );
});

Deno.test("LogIn takes requests only in turn", async () => {
  const logIn = new LogIn({ user: "root", password: "x" });
  await logIn.answer(request(10, "SCRAM-SHA-256", ZERO));
  for (const code of [0, 3, 5, 10, 12]) {
    await assertRejects(
      () => logIn.answer(request(code)),
      Error,
      PART_MISSING,
    );
  }
  assertThrows(() => logIn.checkDone(), Error, PART_MISSING);
});

const PASSWORD = "pass wörd";
const SALT = "W22ZaJ0SNY7soEsUEjb6gQ==";

interface Deviation {
  nonce?: string;
  iterations?: number;
  signature?: string;
  final?: Uint8Array;
}

/** Plays the server's side of SCRAM, but for one deviation. */
function scram(deviation: Deviation = {}): Step {
  const { iterations = 4096 } = deviation;
  return async (peer) => {
    await expect("StartupMessage")(peer);
    await send(frame("R", 10, "SCRAM-SHA-256", ZERO))(peer);
    const first = (await messageOf(peer)).replace(/^.*?(?=n,,)/s, "");
    const nonce = deviation.nonce ?? `${first.split("r=")[1]}server`;
    const challenge = `r=${nonce},s=${SALT},i=${iterations}`;
    await send(frame("R", 11, utf8(challenge)))(peer);
    if (await messageOf(peer) === "") return;
    const proof = await scramProof(challenge, { first, password: PASSWORD });
    const signature = deviation.signature ?? proof.expected;
    const final = deviation.final ?? frame("R", 12, utf8(signature));
    await send(concat([final, greeting()]))(peer);
  };
}

async function messageOf(peer: Peer): Promise<string> {
  return new TextDecoder().decode((await peer.next())?.body);
}

driverTest("logs in by SCRAM", async (driver) => {
  await using server = await scriptedServer([scram()]);
  const config = { ...server.config, password: PASSWORD };
  await (await driver.connect(config)).close();
});

driverTest("trusts no server that gets SCRAM wrong", async (driver) => {
  for (
    const deviation of [
      { nonce: "other" },
      { iterations: 2_000_000_000 },
      { signature: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
    ]
  ) {
    await using server = await scriptedServer([scram(deviation)]);
    const config = { ...server.config, password: PASSWORD };
    const error = await assertRejects(
      () => driver.connect({ ...config, connectTimeoutMs: 60_000 }),
      DatabaseError,
    );
    assertEquals([error.code, error.kind], ["08001", "connection"]);
    assertMatch(error.message, /nonce|iteration|signature/);
  }
});

Deno.test({
  name: "deno-postgres is let in by no server that leaves out its signature",
  ignore: drivers[0].reason !== undefined,
  async fn() {
    await using server = await scriptedServer([
      scram({ final: new Uint8Array() }),
    ]);
    const config = { ...server.config, password: PASSWORD };
    await assertRejects(
      () => drivers[0].driver.connect(config),
      DatabaseError,
      `Cannot connect to 127.0.0.1:${server.port}: the server leaves out a part of the log-in, and hasn't shown that it knows the password; check host and port`,
    );
  },
});

const PASSWORDS = [
  "ascii",
  "ä",
  "plain pass",
  "tab\tx",
  "😀",
  "\u00a0",
  "a\u0308\u2168",
  "it's",
];

const missing = await tlsServerMissing();

Deno.test({
  name: `The drivers log in with any password${
    missing === undefined ? "" : ` [ignored: ${missing}]`
  }`,
  ignore: missing !== undefined,
  async fn(t) {
    await using server = await startTlsServer();
    const base = { ...loopback(server.port), database: "postgres" };
    await makeRoles({ ...base, user: "postgres", tls: { mode: "require" } });
    for (const { driver, reason } of drivers) {
      for (const way of ["scram", "md5", "clear"]) {
        await t.step({
          name: `${driver.name} by ${way}`,
          ignore: reason !== undefined,
          fn: () => logInByAll(driver, { base, way }),
        });
      }
    }
    await t.step({
      name: "deno-postgres where SASLprep refuses the password",
      ignore: drivers[0].reason !== undefined,
      async fn() {
        for (const [index, password] of REFUSED.entries()) {
          const user = `refused ${index}`;
          await whoAmI(drivers[0].driver, { ...base, user, password });
        }
      },
    });
  },
});

const REFUSED = ["\u2168\t", "\u2168😀", "\ufb1da"];

async function makeRoles(config: ConnectionConfig): Promise<void> {
  const { driver } = drivers.find(({ reason }) => reason === undefined)!;
  const session = await driver.connect(config);
  const create = async (name: string, password: string, group: string) => {
    const literal = `'${password.replaceAll("'", "''")}'`;
    await session.query(
      `CREATE ROLE "${name}" LOGIN PASSWORD ${literal} IN ROLE ${group}`,
    );
  };
  for (const way of ["scram", "md5", "clear"]) {
    const encryption = way === "md5" ? "md5" : "scram-sha-256";
    await session.query(`SET password_encryption = '${encryption}'`);
    for (const [index, password] of PASSWORDS.entries()) {
      await create(`${way} jörg ${index}`, password, way);
    }
  }
  for (const [index, password] of REFUSED.entries()) {
    await create(`refused ${index}`, password, "scram");
  }
  await session.close();
}

async function whoAmI(
  driver: Driver,
  config: ConnectionConfig,
): Promise<void> {
  const session = await driver.connect(config);
  const { rows } = await session.query("SELECT current_user");
  await session.close();
  assertEquals(rows, [[config.user]]);
}

async function logInByAll(
  driver: Driver,
  options: { base: ConnectionConfig; way: string },
): Promise<void> {
  const { base, way } = options;
  for (const [index, password] of PASSWORDS.entries()) {
    const config = { ...base, user: `${way} jörg ${index}`, password };
    await whoAmI(driver, config);
    const error = await assertRejects(
      () => driver.connect({ ...config, password: `${password}x` }),
      DatabaseError,
    );
    assertEquals([error.code, error.kind], ["28P01", "permission"]);
  }
}
