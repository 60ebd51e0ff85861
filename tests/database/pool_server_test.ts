import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError, DatabaseError } from "../../src/errors.ts";
import type { Driver, Session } from "../../src/driver/driver.ts";
import { Database } from "../../src/database/database.ts";
import { databaseTest, server } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";
import { faultProxy } from "../support/fault_proxy.ts";
import { climb, type LadderServer } from "../support/ladder.ts";

/** Ends all of a database's sessions but one's own, as an administrator would. */
async function endSessions(
  admin: Database,
  application: string,
): Promise<void> {
  if (server.kind === "postgresql") {
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
      [application],
    );
    return;
  }
  const sessions = await admin.query<{ session_id: string }>(
    "SELECT session_id FROM [SHOW SESSIONS] WHERE application_name = $1",
    [application],
  );
  for (const { session_id } of sessions) {
    await admin.execute(`CANCEL SESSION '${session_id}'`);
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A driver whose sessions can be looked at. */
function watched(driver: Driver): { driver: Driver; sessions: Session[] } {
  const sessions: Session[] = [];
  const connect: Driver["connect"] = async (...args) => {
    const session = await driver.connect(...args);
    sessions.push(session);
    return session;
  };
  return { driver: { name: driver.name, connect }, sessions };
}

/** Uses five sessions at the same time. */
async function five(db: Database): Promise<void> {
  const { promise: allThere, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const use = async (session: Session) => {
    if (++count === 5) resolve();
    await allThere;
    const { rows } = await session.query("SELECT 1");
    assertEquals(rows, [["1"]]);
  };
  await Promise.all(Array.from({ length: 5 }, () => db.withSession(use)));
}

const LEFT: Readonly<
  Record<string, (session: Session) => Promise<unknown>>
> = {
  "a statement": (session) =>
    Promise.race([
      session.query("SELECT pg_sleep(20)"),
      Promise.reject(new Error("the caller's own limit")),
    ]),
  "a stream": (session) =>
    session.stream("SELECT generate_series(1, 1000000)")
      [Symbol.asyncIterator]().next(),
  "a BEGIN": (session) => {
    session.query("BEGIN").catch(() => {});
    return Promise.resolve();
  },
};

for (const { driver, reason } of drivers) {
  for (const [what, leave] of Object.entries(LEFT)) {
    databaseTest(
      `${what} that is left under way on ${driver.name} harms no next borrower`,
      async (_, { options }) => {
        const { sessions, ...own } = watched(driver);
        const db = new Database({ ...options, ...own, pool: { max: 1 } });
        try {
          await db.createTable("t", { id: "INT4 PRIMARY KEY" });
          const start = performance.now();
          await db.withSession(leave).catch(() => {});
          await db.insert("t", { id: 7 });
          assertEquals(await db.count("t"), 1);
          assert(performance.now() - start < 10_000);
          assertEquals(sessions.length, 1);
        } finally {
          await db.close();
        }
      },
      { ignore: reason },
    );
  }

  databaseTest(
    `withSession() on ${driver.name} limits the statements of its callback`,
    async (_, { options }) => {
      await using db = new Database({
        ...options,
        driver,
        statementTimeoutMs: 300,
      });
      const sleep = (session: Session) => session.query("SELECT pg_sleep(20)");
      const own = (session: Session) =>
        session.query("SELECT pg_sleep(20)", [], { timeoutMs: 100 });
      const reason = new Error("enough");
      const signal = () => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(reason), 100);
        return controller.signal;
      };
      await assertRejects(
        () => db.withSession(sleep),
        DatabaseError,
        "within 300 ms",
      );
      await assertRejects(
        () => db.withSession(sleep, { timeoutMs: 200 }),
        DatabaseError,
        "within 200 ms",
      );
      await assertRejects(
        () => db.withSession(own, { timeoutMs: 200 }),
        DatabaseError,
        "within 100 ms",
      );
      const error = await assertRejects(() =>
        db.withSession(sleep, { signal: signal() })
      );
      assertEquals(error, reason);
      await db.withSession((session) => session.query("SELECT pg_sleep(0.1)"));
    },
    { ignore: reason },
  );

  databaseTest(
    `a session of ${driver.name} notices while it is idle that the server has ended it, and the pool refills`,
    async (admin, { options, name }) => {
      const { sessions, ...own } = watched(driver);
      await using db = new Database({
        ...options,
        ...own,
        applicationName: name,
      });
      await five(db);
      const first = sessions.splice(0);
      assertEquals(first.length, 5);
      await endSessions(admin, name);
      await until(() => first.every(({ broken }) => broken));
      await five(db);
      assertEquals(sessions.length, 5);
    },
    { ignore: reason },
  );

  databaseTest(
    `a session of ${driver.name} notices while it is idle that its connection was cut, and the pool refills`,
    async (_, { options }) => {
      const { hostname: host, port } = new URL(server.url);
      await using proxy = await faultProxy({
        upstream: { host, port: Number(port) },
      });
      const { sessions, ...own } = watched(driver);
      const url = proxy.through(server.url);
      await using db = new Database({ ...options, ...own, url });
      await five(db);
      const first = sessions.splice(0);
      await proxy.cutAll();
      await until(() => first.every(({ broken }) => broken));
      await five(db);
    },
    { ignore: reason },
  );

  databaseTest(
    `a statement of ${driver.name} whose session the server ends fails clearly, and the next one works`,
    async (admin, { options, name }) => {
      await using db = new Database({
        ...options,
        driver,
        applicationName: name,
      });
      await db.connect();
      const failed = db.query("SELECT pg_sleep(30)").then(
        () => "done",
        (error) => error,
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      await endSessions(admin, name);
      const error = await failed;
      assert(error instanceof DatabaseError);
      assert(["57P01", "57014"].includes(error.code), error.message);
      if (error.code === "57P01") {
        assertEquals(error.kind, "connection");
        assert(
          error.message.startsWith(
            "Cannot tell whether the statement took effect: its connection was lost (",
          ),
        );
      }
      assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
    },
    { ignore: reason },
  );
}

Deno.test("a pool tells its callers that the server is down, and works when it is up again", async () => {
  const servers = [await climb(["postgresql", "pglite"])];
  const portOf = ({ url }: LadderServer) => Number(new URL(url).port);
  const upstream = { host: "127.0.0.1", port: portOf(servers[0]) };
  await using proxy = await faultProxy({ upstream });
  await using db = new Database({ url: proxy.through(servers[0].url) });
  const many = () =>
    Promise.all(Array.from(
      { length: 100 },
      () => db.query("SELECT 1 AS one").catch((error) => error.kind),
    ));
  try {
    assertEquals(await many(), Array(100).fill([{ one: 1 }]));
    await servers.pop()!.stop();
    assertEquals(await many(), Array(100).fill("connection"));
    servers.push(await climb(["postgresql", "pglite"]));
    upstream.port = portOf(servers[0]);
    assertEquals(await many(), Array(100).fill([{ one: 1 }]));
  } finally {
    await db.close();
    for (const server of servers) await server.stop();
  }
});

databaseTest(
  "a pool gives up waiting with an error that names what holds it",
  async (_, { options }) => {
    await using db = new Database({
      ...options,
      pool: { max: 1, acquireTimeoutMs: 500 },
    });
    const error = await db.transaction(async (tx) => {
      await tx.query("SELECT 1");
      return await assertRejects(() => db.query("SELECT 2"), DatabaseError);
    });
    assertEquals([error.kind, error.code], ["timeout", "55P03"]);
    assert(
      error.message.startsWith(
        "Cannot get a connection for SELECT 2 within 500 ms: 1 of 1 are in use, for a transaction (",
      ),
      error.message,
    );
  },
);

databaseTest(
  "Database.close() waits for what is under way, and is done when called again",
  async (_, { options }) => {
    const db = new Database(options);
    const slow = db.query("SELECT pg_sleep(0.1), 1 AS one");
    await Promise.resolve();
    await db.close();
    assertEquals((await slow)[0].one, 1);
    await db.close();
    await assertRejects(
      () => db.query("SELECT 1"),
      DatabaseError,
      "it was closed",
    );
  },
);

databaseTest(
  "Database.close() without a limit waits for a statement",
  async (_, { options }) => {
    for (const timeoutMs of [Infinity, 2 ** 31]) {
      const db = new Database(options);
      const slow = db.queryOne("SELECT pg_sleep(0.3), 1 AS one");
      await db.close({ timeoutMs });
      assertEquals((await slow)?.one, 1);
    }
  },
);

Deno.test("Database.close() refuses a limit that is none", async () => {
  await using db = new Database();
  for (const timeoutMs of [-1, NaN, "1", null]) {
    await assertRejects(
      () => db.close({ timeoutMs: timeoutMs as number }),
      ConfigError,
      `Cannot use timeoutMs ${timeoutMs}: give a number of milliseconds above 0`,
    );
  }
});

databaseTest(
  "Database.close() ends statements that outlast its limit",
  async (_, { options }) => {
    const db = new Database(options);
    await db.connect();
    const slow = assertRejects(
      () => db.query("SELECT pg_sleep(30)"),
      DatabaseError,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    await db.close({ timeoutMs: 50 });
    assertEquals((await slow).kind, "connection");
  },
);
