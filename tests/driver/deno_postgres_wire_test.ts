/**
 * Statements that a session keeps parsed on its server under deno-postgres, and what happens where
 * others have changed what they meant.
 *
 * @module
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import pg from "pg";
import type { Session } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import { withDatabase } from "../../src/fresh_database.ts";
import { server } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";
import {
  close,
  logIn,
  scriptedServer,
  send,
  skipTo,
  type Step,
} from "../support/scripted_server.ts";
import {
  bound,
  commandComplete,
  dataRow,
  errorResponse,
  frame,
  readyForQuery,
  rowDescription,
} from "../support/wire.ts";

const [{ driver, reason }] = drivers;
const NAMING = 10;
const TEXT = "SELECT value FROM item WHERE id = $1";

/** The time of day stands still in these tests, so that none of them runs into another second. */
let time = 0;

function wireTest(
  name: string,
  fn: () => Promise<void>,
  ignore = reason,
): void {
  Deno.test({
    name: ignore === undefined ? name : `${name} [ignored: ${ignore}]`,
    ignore: ignore !== undefined,
    async fn() {
      const { now } = Date;
      time = now();
      Date.now = () => time;
      try {
        await fn();
      } finally {
        Date.now = now;
      }
    },
  });
}

/** Registers a test on sessions of a fresh database; what `others` do isn't seen by this process. */
function sessionTest(
  name: string,
  fn: (
    session: Session,
    others: (text: string) => Promise<unknown>,
    other: Session,
  ) => Promise<void>,
): void {
  const isShared = server.kind === "pglite"
    ? "it needs a session of its own, this is pglite"
    : undefined;
  wireTest(
    name,
    () =>
      withDatabase(async (db, { name }) => {
        const url = new URL(server.url);
        url.pathname = `/${name}`;
        const client = new pg.Client({ connectionString: url.href });
        await client.connect();
        const session = await db.openSession();
        const other = await db.openSession();
        try {
          await fn(session, (text) => client.query(text), other);
        } finally {
          await session.close();
          await other.close();
          await client.end();
        }
      }, { url: server.url, driver }),
    reason ?? isShared,
  );
}

/** Runs a statement so often that it has a name. */
async function makeHot(session: Session, args = ["7"]): Promise<void> {
  for (let use = 0; use <= NAMING; use++) await session.query(TEXT, args);
}

async function namesOf(session: Session): Promise<(string | null)[]> {
  const { rows } = await session.query(
    "SELECT name FROM pg_catalog.pg_prepared_statements WHERE name LIKE 'crdb_%'",
  );
  return rows.map(([name]) => name);
}

const ITEM = "CREATE TABLE item (id INT PRIMARY KEY, value INT)";

sessionTest(
  "A statement that is run again and again is parsed once a second",
  async (session) => {
    await session.query(ITEM);
    await session.query("INSERT INTO item VALUES (7, 49)");
    await makeHot(session);
    assertEquals((await namesOf(session)).length, 1);
    assertEquals((await session.query(TEXT, ["7"])).rows, [["49"]]);
    assertEquals((await session.query(TEXT, ["8"])).rows, []);
    time += 1_000;
    assertEquals((await session.query(TEXT, ["7"])).rows, [["49"]]);
    assertEquals(await namesOf(session), []);
  },
);

sessionTest(
  "A kept statement means what others have made of its table and its types",
  async (session, others) => {
    await others(ITEM);
    await others("INSERT INTO item VALUES (7, 49)");
    await makeHot(session);
    await others("DROP TABLE item");
    await others("CREATE TABLE item (id INT PRIMARY KEY, value TEXT)");
    await others("INSERT INTO item VALUES (7, 'fifty')");
    const { columns, rows } = await session.query(TEXT, ["7"]);
    assertEquals([columns[0].typeOid, rows], [25, [["fifty"]]]);

    await makeHot(session);
    await others("DROP TABLE item");
    await others("CREATE TABLE item (id TEXT PRIMARY KEY, value INT)");
    await others("INSERT INTO item VALUES ('seven', 51)");
    assertEquals((await session.query(TEXT, ["seven"])).rows, [["51"]]);

    await makeHot(session);
    await others("DROP TABLE item");
    const error = await assertRejects(
      () => session.query(TEXT, ["seven"]),
      DatabaseError,
    );
    assertEquals(error.code, "42P01");
  },
);

sessionTest(
  "A kept statement tells what is wrong with its arguments, and is kept again",
  async (session) => {
    await session.query(ITEM);
    const fails = () =>
      assertRejects(() => session.query(TEXT, ["seven"]), DatabaseError);
    const unnamed = await fails();
    await makeHot(session);
    const named = await fails();
    assertEquals([named.code, named.message], [unnamed.code, unnamed.message]);
    await makeHot(session);
    assertEquals((await namesOf(session)).length, 1);
  },
);

sessionTest(
  "A statement of a transaction gets no name, for an outdated one would end it",
  async (session) => {
    await session.query(ITEM);
    await session.query("BEGIN");
    await makeHot(session);
    assertEquals(await namesOf(session), []);
    await session.query("COMMIT");
  },
);

sessionTest(
  "A table that a query or another session's transaction makes is seen at once",
  async (session, _, other) => {
    await session.query(ITEM);
    await session.query("CREATE SCHEMA nearer");
    await session.query("SET search_path = nearer, public");
    await session.query("INSERT INTO public.item VALUES (7, 49)");
    await makeHot(session);
    await other.query("BEGIN");
    await other.query("CREATE TABLE nearer.item (id INT, value INT)");
    await other.query("INSERT INTO nearer.item VALUES (7, 50)");
    await makeHot(session);
    await other.query("COMMIT");
    assertEquals((await session.query(TEXT, ["7"])).rows, [["50"]]);

    await other.query("DROP TABLE nearer.item");
    await makeHot(session);
    await other.query(
      "CREATE TABLE nearer.item AS SELECT 7::INT8 AS id, 51::INT8 AS value",
    );
    assertEquals((await session.query(TEXT, ["7"])).rows, [["51"]]);
  },
);

sessionTest(
  "A literal means what the session's settings make of it",
  async (session) => {
    const text = "SELECT '2020-01-01 00:00'::TIMESTAMPTZ, $1::INT8";
    await session.query("SET timezone = 'UTC'");
    for (let use = 0; use <= NAMING; use++) await session.query(text, ["7"]);
    await session.query("SELECT set_config('timezone', 'Asia/Tokyo', false)");
    const { rows: [[time]] } = await session.query(text, ["7"]);
    assertMatch(time!, /^2020-01-01 00:00:00\+09/);
  },
);

/** Answers a statement, whichever way it is sent. */
const answered: Step = async (peer) => {
  await skipTo("Sync")(peer);
  await send(
    ...[bound(), rowDescription(["value"]), dataRow(["49"])],
    ...[commandComplete("SELECT 1"), readyForQuery()],
  )(peer);
};

const failed = (code: string, isBound = false): Step => async (peer) => {
  await skipTo("Sync")(peer);
  const error = errorResponse({ severity: "ERROR", code, message: "no" });
  const before = isBound ? [frame("2")] : [];
  await send(...before, error, readyForQuery())(peer);
};

async function onScript(
  script: Step[],
  fn: (session: Session, types: string[]) => Promise<void>,
): Promise<void> {
  const hot = Array.from({ length: NAMING }, () => answered);
  await using server = await scriptedServer([logIn(), ...hot, ...script]);
  const session = await driver.connect(server.config);
  for (let use = 0; use < NAMING; use++) await session.query(TEXT, ["7"]);
  const [types] = server.received;
  types.length = 0;
  await fn(session, types);
  await session.close();
}

const NAMED = ["Bind", "Describe", "Execute", "Sync"];

wireTest(
  "A name that a pooler has lost costs one round trip, and is the session's last",
  () =>
    onScript(
      [failed("26000"), ...Array.from({ length: 2 * NAMING }, () => answered)],
      async (session, types) => {
        assertEquals((await session.query(TEXT, ["7"])).rows, [["49"]]);
        assertEquals(types, [...NAMED, "Close", "Parse", ...NAMED]);
        for (let use = 0; use < 2 * NAMING - 1; use++) {
          types.length = 0;
          await session.query(TEXT, ["7"]);
          assertEquals(types, ["Parse", ...NAMED]);
        }
      },
    ),
);

wireTest(
  "A kept statement isn't run again for an error that its age can't explain",
  () =>
    onScript(
      [
        ...[failed("23505", true), failed("57014"), failed("40001", true)],
        ...[failed("55P03"), failed("22012", true)],
      ],
      async (session, types) => {
        for (const code of ["23505", "57014", "40001", "55P03", "22012"]) {
          const error = await assertRejects(
            () => session.query(TEXT, ["7"]),
            DatabaseError,
          );
          assertEquals(error.code, code);
          assertEquals(types, NAMED);
          types.length = 0;
        }
      },
    ),
);

wireTest(
  "A kept statement whose answer is lost isn't run again",
  () =>
    onScript(
      [skipTo("Sync"), close()],
      async (session, types) => {
        const error = await assertRejects(
          () => session.query(TEXT, ["7"]),
          DatabaseError,
        );
        assertEquals([error.kind, types], ["connection", NAMED]);
      },
    ),
);
