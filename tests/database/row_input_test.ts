import { assertEquals, assertThrows } from "@std/assert";
import type { Database, Row, Transaction, Where } from "../../mod.ts";
import { batchInsertStatements, batchOf } from "../../src/database/batch.ts";
import {
  deleteStatement,
  insertStatement,
  selectStatement,
  updateStatement,
} from "../../src/database/crud.ts";
import { checkColumns, type RowInput } from "../../src/database/row_input.ts";

interface User {
  readonly id: string;
  name?: string;
}

class Account {
  readonly id = "a";
  #balance = 1;

  get balance(): number {
    return this.#balance;
  }
}

const user: User = { id: "u" };
const account = new Account();

/** Is compiled, and never called: what the library's users write of rows that have a type. */
async function program(db: Database, tx: Transaction): Promise<User[]> {
  const row: Row = await db.insert("users", user);
  const typed: User = await db.insert<User>("users", account);
  await db.upsert("users", user, { conflict: ["id"] });
  await db.update("users", user, account);
  await db.delete("users", user);
  await db.batchInsert("users", [user, typed]);
  await db.batchInsert<User>("users", [account], { returning: ["id"] });
  await db.batchUpdate("users", [user]);
  await db.select("users", { where: user });
  await db.selectOne("users", { where: account });
  await db.count("users", { where: user });
  for await (const _ of db.pages<User>("users", { where: user }));
  await tx.insert("users", Object.freeze(user));
  const users = db.table<User>("users");
  await users.create(user);
  await users.update("u", { name: "Ada" });
  await users.batchCreate([user]);
  await users.list({ where: user });
  // What a caller puts together by and by.
  const where: Where = {};
  where.id = row.id;
  return await db.select<User>("users", { where });
}

/** Is compiled, and never called: what must not pass for a row. */
function refused(db: Database, users: User[], promise: Promise<User>): void {
  // @ts-expect-error An array is no row.
  db.insert("users", users);
  // @ts-expect-error A promise is none either.
  db.insert("users", promise);
  // @ts-expect-error A map has no columns.
  db.update("users", new Map(), user);
  // @ts-expect-error A date is no condition.
  db.delete("users", new Date());
  // @ts-expect-error A function is no condition.
  db.select("users", { where: () => true });
  // @ts-expect-error A row is no list of rows.
  db.batchInsert("users", user);
  // @ts-expect-error Text is no row.
  db.batchUpdate("users", ["u"]);
  // @ts-expect-error There is no row in null.
  db.upsert("users", null);
}

Deno.test("Rows and conditions may have the type of an interface or a class", () => {
  const programs: ((...args: never[]) => unknown)[] = [program, refused];
  assertEquals(programs.length, 2);
  const rows: RowInput[] = [user, account];
  assertEquals(rows.map((row) => insertStatement("t", row).args), [
    ["u"],
    ["a"],
  ]);
  const { args } = updateStatement("t", user, { where: account });
  assertEquals(args, ["u", "a"]);
  assertEquals(deleteStatement("t", { where: user }).args, ["u"]);
  assertEquals(selectStatement("t", { where: account }).args, ["a"]);
  const batch = batchOf("t", rows);
  const types = new Map([["id", "text"]]);
  assertEquals([...batchInsertStatements(batch, types)][0].args, [["u", "a"]]);
});

Deno.test("checkColumns() refuses what would count as an empty row, and takes an empty row", () => {
  const others = [
    ...[null, undefined, true, 1, "id", () => 1],
    ...[[], [1], new Map([["id", 1]]), new Set(), new Date()],
    ...[Promise.resolve(user), new Uint8Array()],
  ];
  for (const value of others) {
    assertThrows(
      () => checkColumns(value, "Cannot insert into t: the row"),
      TypeError,
      "Cannot insert into t: the row is no object with columns; give one, such as { id: 1 }",
    );
  }
  class Tagged {
    id = 1;
    get [Symbol.toStringTag]() {
      return "Tagged";
    }
  }
  for (const value of [{}, Object.create(null), account, new Tagged()]) {
    checkColumns(value, "Cannot insert into t: the row");
  }
});
