import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import {
  addressOf,
  connectFailure,
  connectTimeout,
} from "../../src/driver/connect_failure.ts";
import { hangUp, protocolBreach } from "../../src/driver/loss.ts";
import { ConfigError, DatabaseError } from "../../src/errors.ts";
import { loopback } from "../support/scripted_server.ts";

const CONFIG = { ...loopback(26257), password: "secret" };

function messageFor(error: unknown): string {
  const failure = connectFailure(error, CONFIG);
  assertInstanceOf(failure, DatabaseError);
  assertEquals([failure.code, failure.kind], ["08001", "connection"]);
  assertStrictEquals(failure.cause, error);
  return failure.message;
}

function withCode(code: string, message = "os error"): Error {
  return Object.assign(new Error(message), { code });
}

Deno.test("addressOf() writes IPv6 addresses in brackets and sockets as paths", () => {
  assertEquals(addressOf({ host: "::1", port: 5432 }), "[::1]:5432");
  assertEquals(addressOf({ host: "db.test", port: 1 }), "db.test:1");
  assertEquals(
    addressOf({ host: "/run/pg", port: 5432 }),
    "/run/pg/.s.PGSQL.5432",
  );
});

Deno.test("connectFailure() names the server and what to check", () => {
  const refused =
    "Cannot connect to 127.0.0.1:26257: the connection was refused; check that a server listens there";
  assertEquals(messageFor(withCode("ECONNREFUSED")), refused);
  assertEquals(messageFor(new Deno.errors.ConnectionRefused("no")), refused);
  assertEquals(
    messageFor(withCode("ENOTFOUND")),
    "Cannot connect to 127.0.0.1:26257: the host name wasn't found; check its spelling and the network",
  );
  assertEquals(
    messageFor(withCode("ECONNRESET")),
    "Cannot connect to 127.0.0.1:26257: the server closed the connection; see its log, and check host, port and sslmode",
  );
  assertEquals(
    messageFor(hangUp(undefined)),
    "Cannot connect to 127.0.0.1:26257: the server closed the connection during the log-in; see its log, and check host and port",
  );
  assertEquals(
    messageFor(protocolBreach(false)),
    "Cannot connect to 127.0.0.1:26257: the answer isn't PostgreSQL's; check host and port",
  );
  assertEquals(
    messageFor(hangUp(withCode("CERT_HAS_EXPIRED"))),
    "Cannot connect to 127.0.0.1:26257: the server's certificate has expired; renew it",
  );
  assertEquals(
    messageFor(withCode("EOTHER", "strange")),
    "Cannot connect to 127.0.0.1:26257: strange",
  );
});

Deno.test("connectFailure() keeps the SQLSTATE and the fields of a refusal, and adds address and remedy", () => {
  const said = new DatabaseError({
    severity: "FATAL",
    code: "28P01",
    message: "wrong password",
    detail: "really",
  });
  const error = connectFailure(said, CONFIG) as DatabaseError;
  assertEquals(
    [error.severity, error.code, error.kind, error.detail],
    ["FATAL", "28P01", "permission", "really"],
  );
  assertEquals(
    error.message,
    "Cannot connect to 127.0.0.1:26257: wrong password; check user and password",
  );
});

Deno.test("connectFailure() leaves settings, permissions and sentences of its own as they are", () => {
  for (
    const error of [
      new DatabaseError({
        code: "28P01",
        message: "Cannot log in as x: give a password",
      }),
      new ConfigError("no such file"),
      new Deno.errors.NotCapable("net"),
    ]
  ) {
    assertStrictEquals(connectFailure(error, CONFIG), error);
  }
});

Deno.test("connectTimeout() names the limit", () => {
  const { code, message } = connectTimeout(CONFIG);
  assertEquals(code, "08001");
  assertEquals(
    message,
    "Cannot connect to 127.0.0.1:26257: the server didn't answer within 5000 ms; check host, port and network, or raise the connect timeout",
  );
});
