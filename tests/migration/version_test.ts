import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MigrationError } from "../../src/errors.ts";
import {
  compareVersions,
  isSqlFile,
  migrationFileName,
  nextVersion,
  parseFileName,
} from "../../src/migration/version.ts";

Deno.test("compareVersions() orders versions as numbers", () => {
  const versions = ["20230101120000", "10", "9", "0100", "099"];
  assertEquals(versions.sort(compareVersions), [
    "9",
    "10",
    "099",
    "0100",
    "20230101120000",
  ]);
});

Deno.test("compareVersions() takes no notice of leading zeros", () => {
  assertEquals(compareVersions("001", "1"), 0);
  assertEquals(compareVersions("0", "000"), 0);
});

Deno.test("compareVersions() agrees with BigInt", () => {
  const digits = fc.stringMatching(/^[0-9]{1,25}$/);
  fc.assert(fc.property(digits, digits, (a, b) => {
    const [x, y] = [BigInt(a), BigInt(b)];
    assertEquals(Math.sign(compareVersions(a, b)), x < y ? -1 : x > y ? 1 : 0);
  }));
});

Deno.test("isSqlFile() passes over dot files and other endings", () => {
  const names = [
    "1_a.sql",
    "a.SQL",
    ".1_a.sql",
    "README.md",
    ".gitkeep",
    "sql",
  ];
  assertEquals(names.filter(isSqlFile), ["1_a.sql", "a.SQL"]);
});

Deno.test("parseFileName() gives the version as written and the description with spaces", () => {
  assertEquals(parseFileName("20230101120000_create_users_table.sql"), {
    version: "20230101120000",
    description: "create users table",
  });
  assertEquals(parseFileName("001_Add-e-mail.v2.sql"), {
    version: "001",
    description: "Add-e-mail.v2",
  });
});

for (
  const name of [
    "users.sql",
    "1.sql",
    "1_.sql",
    "1__.sql",
    "v1_a.sql",
    "1_a.SQL",
    "1-a.sql",
  ]
) {
  Deno.test(`parseFileName() refuses ${name}`, () => {
    const error = assertThrows(() => parseFileName(name), MigrationError);
    assertEquals(
      error.message,
      `Cannot read the migration "${name}": its name is not of the form ` +
        "<version>_<description>.sql, where the version is digits; rename it, for example to " +
        "20230101120000_create_users.sql",
    );
    assertEquals(error.file, name);
  });
}

Deno.test("migrationFileName() lower-cases and joins the words with underscores", () => {
  assertEquals(
    migrationFileName("20230101120000", "  Create   Users' table! "),
    "20230101120000_create_users_table.sql",
  );
  assertEquals(migrationFileName("1", "Größe"), "1_gr_e.sql");
});

Deno.test("migrationFileName() keeps 100 characters of a description", () => {
  assertEquals(
    migrationFileName("1", "a".repeat(99) + " b"),
    `1_${"a".repeat(99)}.sql`,
  );
});

Deno.test("migrationFileName() refuses a description without letters", () => {
  const error = assertThrows(() => migrationFileName("1", "…"), MigrationError);
  assertEquals(
    error.message,
    'Cannot name a migration "…": the description has none of the characters a to z and 0 to 9; ' +
      "describe it in such words",
  );
});

Deno.test("nextVersion() is the time in UTC", () => {
  const now = new Date("2026-03-04T05:06:07.890Z");
  assertEquals(nextVersion(now, []), "20260304050607");
  assertEquals(nextVersion(now, ["9", "20260304050606"]), "20260304050607");
});

Deno.test("nextVersion() goes on by a second after the last version", () => {
  const now = new Date("2026-03-04T05:06:07Z");
  assertEquals(nextVersion(now, ["20260304050607"]), "20260304050608");
  assertEquals(
    nextVersion(now, ["20271231235959", "20260304050607"]),
    "20280101000000",
  );
});

Deno.test("nextVersion() counts on after a version that is no time", () => {
  const now = new Date("2026-03-04T05:06:07Z");
  assertEquals(nextVersion(now, ["20269999999999"]), "20270000000000");
  assertEquals(nextVersion(now, ["99991231235959"]), "99991231235960");
  assertEquals(nextVersion(now, ["0202603040506070"]), "0202603040506071");
});

Deno.test("nextVersion() is after every existing version", () => {
  const now = new Date("2026-03-04T05:06:07Z");
  const versions = fc.array(fc.stringMatching(/^[0-9]{1,20}$/));
  fc.assert(fc.property(versions, (existing) => {
    const next = nextVersion(now, existing);
    assert(existing.every((version) => compareVersions(version, next) < 0));
  }));
});
