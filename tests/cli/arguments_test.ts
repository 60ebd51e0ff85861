import { assertEquals, assertThrows } from "@std/assert";
import { isJsonWanted, parseArguments } from "../../src/cli/arguments.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { ConfigError } from "../../src/errors.ts";

function parse(...args: string[]) {
  return parseArguments(args, COMMANDS);
}

Deno.test("parseArguments() takes options before the command and after it", () => {
  for (
    const args of [
      ["--dir", "db", "migrate", "--to", "0012", "--dry-run"],
      ["--dry-run", "--to=0012", "--dir=db", "migrate"],
      ["migrate", "--dry-run", "--dir", "db", "--to", "0012"],
    ]
  ) {
    const { command, given } = parse(...args);
    assertEquals(command.name, "migrate");
    assertEquals(given.text("dir"), "db");
    assertEquals(given.version("to"), "0012");
    assertEquals(given.has("dry-run"), true);
    assertEquals(given.has("json"), false);
    assertEquals(given.parameters, []);
  }
});

Deno.test("parseArguments() keeps a version among the parameters as text", () => {
  const { given } = parse("baseline", "00123456789012345678901234567890");
  assertEquals(given.versionParameter(), "00123456789012345678901234567890");
});

Deno.test("parseArguments() takes all words of a description", () => {
  const { given } = parse("create", "add", "users", "--sql=-- x\nSELECT 1");
  assertEquals(given.parameters, ["add", "users"]);
  assertEquals(given.text("sql"), "-- x\nSELECT 1");
});

Deno.test("parseArguments() takes SQL that begins with a comment for a value", () => {
  const { given } = parse(
    "create",
    "x",
    "--sql",
    "-- why\nSELECT 1",
    "--undo",
    "--no\nSELECT 2",
  );
  assertEquals(given.parameters, ["x"]);
  assertEquals(given.text("sql"), "-- why\nSELECT 1");
  assertEquals(given.text("undo"), "--no\nSELECT 2");
});

Deno.test("Arguments.addressed repeats what names the database and the files, but no address", () => {
  const { given } = parse(
    ...["migrate", "--dir", "my db/it's", "--table=ops._m", "--to", "3"],
    ...["--url", "postgres://root:secret@h/d", "--driver", "pg"],
  );
  assertEquals(
    given.addressed,
    " --dir 'my db/it'\\''s' --table ops._m --driver pg --url URL",
  );
  assertEquals(parse("migrate", "--json").given.addressed, "");
});

Deno.test("parseArguments() takes everything after -- as parameters", () => {
  const { given } = parse("create", "--", "--json", "x");
  assertEquals(given.parameters, ["--json", "x"]);
  assertEquals(given.has("json"), false);
});

Deno.test("parseArguments() makes -h and --help the command help with its topic", () => {
  for (const flag of ["-h", "--help"]) {
    for (const args of [["redo", flag], [flag, "redo"]]) {
      const { command, given } = parse(...args);
      assertEquals([command.name, ...given.parameters], ["help", "redo"]);
    }
    const { command, given } = parse(flag);
    assertEquals([command.name, ...given.parameters], ["help"]);
  }
  assertEquals(parse("--version").command.name, "version");
});

const REFUSED: [string[], string][] = [
  [[], "Cannot run crdb without a command: none is given; see crdb help"],
  [
    ["migrat"],
    'Cannot run "migrat": there is no such command; did you mean migrate?',
  ],
  [
    ["frobnicate"],
    'Cannot run "frobnicate": there is no such command; see crdb help',
  ],
  [
    ["migrate", "--dri-run"],
    "Cannot use the option --dri-run: migrate has no such option; did you mean --dry-run?",
  ],
  [
    ["--urll=postgres://root:secret@h/d", "status"],
    "Cannot use the option --urll: status has no such option; did you mean --url?",
  ],
  [
    ["--jsn"],
    "Cannot use the option --jsn: crdb has no such option; did you mean --json?",
  ],
  [
    ["status", "-x"],
    "Cannot use the option -x: status has no such option; see crdb help status",
  ],
  [
    ["migrate", "--count", "3"],
    "Cannot use the option --count: migrate has no such option; see crdb help migrate",
  ],
  [
    ["migrate", "--version"],
    "Cannot use the option --version: migrate has no such option; see crdb help migrate",
  ],
  [
    ["migrate", "--to", "1", "--to", "2"],
    "Cannot use --to twice: it has one value; give it once",
  ],
  [
    ["reset", "--yes=no"],
    "Cannot use --yes with a value: it takes none; give --yes alone",
  ],
  [
    ["rollback", "--count", "1", "--to", "2"],
    "Cannot use --count and --to together: they contradict each other; give one of them",
  ],
  [
    ["rollback", "--all", "--to", "2"],
    "Cannot use --to and --all together: they contradict each other; give one of them",
  ],
  [
    ["repair", "1", "--done", "--not-done"],
    "Cannot use --done and --not-done together: they contradict each other; give one of them",
  ],
  [
    ["baseline"],
    "Cannot run baseline: VERSION is missing; run crdb baseline VERSION",
  ],
  [
    ["create"],
    "Cannot run create: DESCRIPTION is missing; run crdb create DESCRIPTION…",
  ],
  [
    ["migrate", "7"],
    'Cannot run migrate with "7": it takes no such parameter; see crdb help migrate',
  ],
  [
    ["migrate", "--to"],
    "Cannot use --to: its value is missing; give --to=VERSION",
  ],
  [
    ["migrate", "--to", "--json"],
    "Cannot use --to: its value is missing; give --to=VERSION",
  ],
  [
    ["create", "x", "--sql", "--json"],
    "Cannot use --sql: its value is missing; give --sql=SQL",
  ],
  [
    ["migrate", "--to="],
    "Cannot use --to: its value is missing; give --to=VERSION",
  ],
];

for (const [args, message] of REFUSED) {
  Deno.test(`parseArguments() refuses crdb ${args.join(" ")}`, () => {
    const error = assertThrows(
      () => parseArguments(args, COMMANDS),
      ConfigError,
    );
    assertEquals(error.message, message);
  });
}

Deno.test("Arguments refuses values that an option can't have", () => {
  const cases: [
    string[],
    (args: ReturnType<typeof parse>) => unknown,
    string,
  ][] = [
    [
      ["migrate", "--to", "v2"],
      ({ given }) => given.version("to"),
      "Cannot use --to v2: it is not a version; give the digits that the file's name begins with",
    ],
    [
      ["rollback", "--count", "1.5"],
      ({ given }) => given.count("count"),
      "Cannot use --count 1.5: it is not a number of migrations; give a whole number from 1",
    ],
    [
      ["rollback", "--count", "0"],
      ({ given }) => given.count("count"),
      "Cannot use --count 0: it is not a number of migrations; give a whole number from 1",
    ],
    [
      ["migrate", "--lease", "15"],
      ({ given }) => given.duration("lease"),
      "Cannot use --lease 15: it is not a time; give one such as 500ms, 30s, 10m or 1h",
    ],
    [
      ["migrate", "--driver", "deno_postgres"],
      ({ given }) => given.oneOf("driver", ["deno-postgres", "pg"]),
      "Cannot use --driver deno_postgres: it is none of deno-postgres, pg; did you mean deno-postgres?",
    ],
  ];
  for (const [args, read, message] of cases) {
    const given = parse(...args);
    const error = assertThrows(() => read(given), ConfigError);
    assertEquals(error.message, message);
  }
  const { given } = parse("rollback", "--count", "3", "--lock-timeout", "2m");
  assertEquals(given.count("count"), 3);
  assertEquals(given.duration("lock-timeout"), 120_000);
});

Deno.test("isJsonWanted() sees --json anywhere but after --", () => {
  assertEquals(isJsonWanted(["x", "--json"]), true);
  assertEquals(isJsonWanted(["x", "--", "--json"]), false);
});
