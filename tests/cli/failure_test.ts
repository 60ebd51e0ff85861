import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeFailure } from "../../src/cli/failure.ts";
import {
  AmbiguousCommitError,
  ConfigError,
  DatabaseError,
  LeaseLostError,
  LockTimeoutError,
  MigrationError,
} from "../../src/errors.ts";

/** As a program gets it: without what is undefined. */
function described(error: unknown) {
  return JSON.parse(JSON.stringify(describeFailure(error)));
}

Deno.test("describeFailure() gives a failed migration its place and SQLSTATE", () => {
  const cause = new DatabaseError({ code: "42P07", message: "it exists" });
  const error = new MigrationError("Cannot apply x.sql:3:1: it exists", {
    version: "7",
    file: "x.sql",
    line: 3,
    column: 1,
    cause,
  });
  assertEquals(described(error), {
    code: 1,
    message: "Cannot apply x.sql:3:1: it exists",
    json: {
      message: "Cannot apply x.sql:3:1: it exists",
      code: "42P07",
      kind: "other",
      version: "7",
      file: "x.sql",
      line: 3,
      column: 1,
    },
  });
});

Deno.test("describeFailure() says what to do about a missing database, once", () => {
  const messageFor = (message: string) =>
    described(new DatabaseError({ code: "3D000", message })).message;
  assertEquals(
    messageFor('database "x" does not exist'),
    'database "x" does not exist; create the database, or name another (SQLSTATE 3D000)',
  );
  const refused =
    'Cannot connect to 127.0.0.1:5432: database "x" does not exist; create the database, or name another';
  assertEquals(messageFor(refused), `${refused} (SQLSTATE 3D000)`);
});

Deno.test("describeFailure() shows what the server said", () => {
  const error = new DatabaseError({
    code: "28P01",
    message: "password authentication failed",
    detail: "no such user",
    hint: "make one",
    column: "c",
  });
  assertEquals(described(error), {
    code: 1,
    message:
      "password authentication failed (SQLSTATE 28P01)\nDetail: no such user\nHint: make one",
    json: {
      message:
        "password authentication failed (SQLSTATE 28P01)\nDetail: no such user\nHint: make one",
      code: "28P01",
      kind: "permission",
    },
  });
});

const NOT_FOUND = new Deno.errors.NotFound("no");
const EXIT_CODES: [string, unknown, number, string][] = [
  ["wrong usage", new ConfigError("x"), 2, "usage"],
  ["a held lease", new LockTimeoutError("x"), 4, "lock"],
  [
    "a missing folder",
    new MigrationError("x", { cause: NOT_FOUND }),
    5,
    "missing",
  ],
  [
    "a missing certificate",
    new ConfigError("x", {
      cause: Object.assign(new Error("no"), { code: "ENOENT" }),
    }),
    5,
    "missing",
  ],
  ["a missing permission", new Deno.errors.NotCapable("x"), 5, "permission"],
  ["an unknown outcome", new AmbiguousCommitError("x"), 1, "ambiguous"],
  ["an interruption", new DOMException("x", "AbortError"), 130, "interrupted"],
  ["a wrong migration", new MigrationError("x"), 1, "migration"],
  ["a fault", new TypeError("x"), 1, "unexpected"],
];

for (const [what, error, code, kind] of EXIT_CODES) {
  Deno.test(`describeFailure() gives ${what} the exit code ${code}`, () => {
    const failure = describeFailure(error);
    assertEquals([failure.code, failure.json.kind], [code, kind]);
  });
}

Deno.test("describeFailure() gives the commands that it names the options of the call", () => {
  const error = new MigrationError(
    "If it is there, run: crdb repair 7 --done\nIf it isn't, run: crdb repair 7 --not-done\nThen run the command again.",
  );
  const { message, json } = describeFailure(error, { addressed: " --dir db" });
  assertEquals(
    message,
    "If it is there, run: crdb repair 7 --done --dir db\nIf it isn't, run: crdb repair 7 --not-done --dir db\nThen run the command again.",
  );
  assertEquals(json.message, message);
  const look = new MigrationError("Not known: run crdb status first.");
  assertEquals(
    describeFailure(look, { addressed: " --dir db" }).message,
    "Not known: run crdb status --dir db first.",
  );
});

Deno.test("describeFailure() names the command that goes on in the place of the library's words", () => {
  const goOn = { run: "rollback --count 2", isOther: true };
  const message = (error: Error) => describeFailure(error, { goOn }).message;
  for (
    const [said, shown] of [
      [
        "  -- run migrate again\nDone. Mend the file, and run rollback; this counts.",
        "  -- run migrate again\nDone. Mend the file, and run rollback --count 2; this counts.",
      ],
      ["It's gone. Run rollback.", "It's gone. Run rollback --count 2."],
      ["Then run the command again.", "Then run rollback --count 2."],
      ["No answer came.", "No answer came.\nRun rollback --count 2 to go on"],
    ]
  ) assertEquals(message(new MigrationError(said)), shown);
});

Deno.test("describeFailure() adds no command where the same one again will do, or another runner goes on", () => {
  const run = "rollback --all";
  for (
    const [error, isOther] of [
      [new MigrationError("No answer came."), false],
      [new LeaseLostError("No answer came."), true],
    ] as const
  ) {
    const { message } = describeFailure(error, { goOn: { run, isOther } });
    assertEquals(message, "No answer came.");
  }
});

Deno.test("describeFailure() turns the runtime's words into a flag", () => {
  const error = new Deno.errors.NotCapable(
    'Requires net access to "db.test:26257", run again with the --allow-net flag',
  );
  assertEquals(
    describeFailure(error).message,
    "Cannot use db.test:26257: no permission; run again with --allow-net=db.test:26257",
  );
});

Deno.test("describeFailure() shows the stack of a fault only when asked", () => {
  const error = new TypeError("x is undefined");
  const { message } = describeFailure(error);
  assertEquals(
    message,
    "Cannot go on: TypeError: x is undefined; run again with --verbose to see where, and report it",
  );
  const verbose = describeFailure(error, { isVerbose: true });
  assertStringIncludes(verbose.message, "failure_test.ts");
  assertEquals(verbose.json.message, message);
});

Deno.test("describeFailure() lets no password through, nor what steers a terminal", () => {
  const error = new ConfigError(
    "Cannot use postgres://root:secret@h/d\x1b[2J: x",
  );
  assertEquals(
    describeFailure(error).message,
    "Cannot use postgres://root:***@h/d[2J: x",
  );
});
