/**
 * Defect 4 of deno-postgres 0.19.5: its `Transaction`, which ours doesn't use. Each test shows the
 * defect on the bare client first, where that is at hand.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { bareClient, hangs } from "../support/bare.ts";
import {
  defectTest,
  failure,
  ok,
  refuse,
  showing,
} from "../support/defects.ts";
import { driverTest } from "../support/drivers.ts";
import {
  expect,
  logIn,
  scriptedServer,
  type Step,
} from "../support/scripted_server.ts";
import { statementOf } from "../support/wire.ts";

/** Answers every statement in the same way. */
function always(step: Step): Step {
  return async (peer) => {
    while (await peer.next() !== undefined) await step(peer);
  };
}

/** Answers statements as a server in a transaction does, and notes them; `FAIL` fails. */
function transactions(statements: string[]): Step {
  const answers: Record<string, Step> = {
    FAIL: refuse("23505", "E"),
    COMMIT: ok("COMMIT"),
    ROLLBACK: ok("ROLLBACK"),
  };
  return async (peer) => {
    for (;;) {
      const frame = await peer.next();
      if (frame === undefined) return;
      const text = statementOf(frame)?.trim();
      if (text === undefined) continue;
      statements.push(text);
      await (answers[text] ?? ok("DONE", "T"))(peer);
    }
  };
}

defectTest("4: a COMMIT that fails is sent again and again", {
  scripts: () => [
    [logIn(), expect("Query"), ok("BEGIN", "T"), always(refuse("40001"))],
  ],
  bare: async (client, { received }) => {
    const transaction = client.createTransaction("t");
    await transaction.begin();
    assert(await hangs(transaction.queryArray("COMMIT")));
    const commits = received[0].filter((type) => type === "Query").length;
    assert(commits > 10, `${commits} statements`);
  },
  ours: async (session, { received }) => {
    await session.query("BEGIN");
    assertEquals((await failure(session.query("COMMIT"))).code, "40001");
    assertEquals(session.transactionStatus, "idle");
    assertEquals(received, [["StartupMessage", "Query", "Query"]]);
  },
});

const statements: string[] = [];

defectTest("4: an error inside commits, so that no savepoint is of use", {
  scripts: () => {
    statements.length = 0;
    return [[logIn(), transactions(statements)]];
  },
  bare: async (client) => {
    const transaction = client.createTransaction("t");
    await transaction.begin();
    await transaction.queryArray("SAVEPOINT cockroach_restart");
    await assertRejects(() => transaction.queryArray("FAIL"));
    assertEquals(statements.slice(-2), ["FAIL", "COMMIT"]);
    await assertRejects(
      () => transaction.queryArray("ROLLBACK TO SAVEPOINT cockroach_restart"),
      Error,
      "This transaction has not been started yet",
    );
  },
  ours: async (session) => {
    const before = ["BEGIN", "SAVEPOINT cockroach_restart"];
    for (const text of before) await session.query(text);
    assertEquals((await failure(session.query("FAIL"))).code, "23505");
    assertEquals(session.transactionStatus, "failed");
    const after = ["ROLLBACK TO SAVEPOINT cockroach_restart", "COMMIT"];
    for (const text of after) await session.query(text);
    assertEquals(statements, [...before, "FAIL", ...after]);
  },
});

driverTest(
  "has not defect 4: a transaction asks for READ COMMITTED, unasked",
  async (driver) => {
    const script = () => [
      logIn({ crdb_version: "CockroachDB CCL v25.4.0" }),
      transactions(statements),
    ];
    await showing(driver, async () => {
      statements.length = 0;
      await using server = await scriptedServer(script());
      const client = await bareClient(server.config);
      await client.connect();
      await client.createTransaction("t").begin();
      assertEquals(statements, [
        "BEGIN READ WRITE ISOLATION LEVEL READ COMMITTED;",
      ]);
    });
    statements.length = 0;
    await using server = await scriptedServer(script());
    const { host, port, user, database } = server.config;
    const address = { host, port, user, database };
    await using db = new Database({ ...address, driver });
    await db.transaction((tx) => tx.execute("UPDATE"));
    assertEquals(statements, [
      "BEGIN ISOLATION LEVEL SERIALIZABLE",
      "UPDATE",
      "COMMIT",
    ]);
  },
);
