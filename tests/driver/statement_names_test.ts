import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  isChange,
  isDisguised,
  noteChange,
  StatementNames,
} from "../../src/driver/statement_names.ts";

const TEXT = "SELECT name FROM account WHERE id = $1";

/** The names of so many uses, one after the other, at a time that stands still. */
function uses(
  names: StatementNames,
  count: number,
  text = TEXT,
): (string | undefined)[] {
  return Array.from({ length: count }, () => names.use(text, ["7"])?.name);
}

function atTime(ms: number, fn: () => void): void {
  const { now } = Date;
  Date.now = () => ms;
  try {
    fn();
  } finally {
    Date.now = now;
  }
}

Deno.test("use() names a statement at its tenth use within a second", () => {
  const names = new StatementNames();
  atTime(5_000, () => {
    assertEquals(new Set(uses(names, 9)), new Set([undefined]));
    const named = names.use(TEXT, ["7"]);
    assertMatch(named!.name, /^crdb_[0-9a-f-]{36}_1$/);
    assertEquals(named!.isParsed, false);
    assertEquals(names.use(TEXT, ["7"]), { name: named!.name, isParsed: true });
    assertEquals(uses(names, 9, "SELECT $1")[8], undefined);
  });
});

Deno.test("use() never gives the name that another session gives", () => {
  atTime(5_000, () => {
    const [one, other] = [new StatementNames(), new StatementNames()];
    assert(uses(one, 10)[9] !== uses(other, 10)[9]);
  });
});

Deno.test("use() gives its names up after a second, whichever way the clock was set", () => {
  for (const later of [6_000, 3_000]) {
    const names = new StatementNames();
    let name = "";
    atTime(5_000, () => name = uses(names, 10)[9]!);
    atTime(5_999, () => assertEquals(names.use(TEXT, ["7"])?.name, name));
    atTime(later, () => {
      assertEquals(names.use(TEXT, ["7"]), undefined);
      assertEquals(names.takeOutdated(), [name]);
      assertEquals(names.takeOutdated(), []);
      assert(uses(names, 9)[8] !== name);
    });
  }
});

Deno.test("use() gives its names up when any session has changed more than rows", () => {
  const names = new StatementNames();
  atTime(5_000, () => {
    const name = uses(names, 10)[9]!;
    assertEquals(names.use(TEXT, ["7"])?.name, name);
    noteChange();
    assertEquals(names.use(TEXT, ["7"]), undefined);
    assert(uses(names, 9)[8] !== undefined);
  });
});

Deno.test("isChange() and isDisguised() tell what changes more than rows", () => {
  for (const command of ["SELECT", "INSERT", "DELETE", "BEGIN", "COMMIT", ""]) {
    assertEquals(isChange(command), false, command);
  }
  for (const command of ["ALTER TABLE", "SET", "TRUNCATE TABLE", "CALL"]) {
    assertEquals(isChange(command), true, command);
  }
  for (
    const text of [
      "CREATE TABLE t AS SELECT 1",
      "SELECT 1 AS a INTO t",
      "SELECT set_config('timezone', 'Asia/Tokyo', false)",
    ]
  ) {
    assertEquals(isDisguised(text, "SELECT"), true, text);
  }
  assertEquals(isDisguised("SELECT 1", "SELECT"), false);
  assertEquals(isDisguised("INSERT INTO t VALUES (1)", "INSERT"), false);
});

Deno.test("use() names no query with an argument that types read differently", () => {
  const names = new StatementNames();
  atTime(5_000, () => {
    uses(names, 10);
    for (
      const arg of [
        ...["1.5", "-.5", "1e3", "Infinity", "-inf", "NaN"],
        ...["2024-01-01", "2024-01-01T00:00:00.000Z", "12:30", "1/2/2024"],
      ]
    ) {
      assertEquals(names.use(TEXT, ["1", arg]), undefined, arg);
    }
    for (
      const arg of [
        ...["42", "-7", "", "Ada", "t", "{1,2}", null],
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
      ]
    ) {
      assert(names.use(TEXT, [arg]) !== undefined, String(arg));
    }
  });
});

Deno.test("use() names no write, and nothing whose meaning may change with every use", () => {
  const names = new StatementNames();
  atTime(5_000, () => {
    for (
      const text of [
        "SELECT * FROM account WHERE id = $1",
        "INSERT INTO account (id) VALUES ($1)",
        "WITH a AS (DELETE FROM account WHERE id = $1 RETURNING id) SELECT id FROM a",
        "CALL work($1)",
        "SELECT id INTO kept FROM account WHERE id = $1",
        "SELECT $$now$$::TIMESTAMPTZ, $1",
        "SELECT E'\\x6eow'::TIMESTAMPTZ, $1",
        "SELECT 'now'::TIMESTAMPTZ, $1",
        "SELECT DATE ' Yesterday', $1",
        `SELECT $1 /*${"-".repeat(9_000)}*/`,
      ]
    ) {
      assertEquals(uses(names, 20, text)[19], undefined, text);
    }
    for (
      const text of [
        "SELECT count(*) FROM account WHERE id > $1",
        "SELECT count( * ), now() FROM account WHERE name = 'nowhere' OR id = $1",
      ]
    ) {
      assert(uses(names, 20, text)[19] !== undefined, text);
    }
  });
});

Deno.test("use() counts only so many statements", () => {
  const names = new StatementNames();
  atTime(5_000, () => {
    for (let index = 0; index < 256; index++) {
      names.use(`SELECT ${index}, $1`, ["7"]);
    }
    assertEquals(uses(names, 20)[19], undefined);
    assert(uses(names, 20, "SELECT 7, $1")[19] !== undefined);
  });
});

Deno.test("stop() ends the naming for good, and tells what is outdated", () => {
  const names = new StatementNames();
  atTime(5_000, () => {
    const name = uses(names, 10)[9]!;
    names.stop();
    assertEquals(uses(names, 20)[19], undefined);
    assertEquals(names.takeOutdated(), [name]);
  });
});
