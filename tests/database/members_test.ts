import { assert, assertEquals } from "@std/assert";
import { type Member, Members } from "../../src/database/members.ts";
import { poolLimits } from "../../src/database/pool_limits.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import { DatabaseError } from "../../src/errors.ts";
import { FakeDriver } from "../support/fake_driver.ts";

interface Fixture {
  driver: FakeDriver;
  members: Members;
  given: Member[];
  failures: unknown[];
}

function membersTest(
  name: string,
  fn: (fixture: Fixture) => Promise<void>,
  max = 10,
): void {
  Deno.test(name, async () => {
    const driver = new FakeDriver();
    const given: Member[] = [];
    const failures: unknown[] = [];
    const members = new Members({
      driver,
      config: resolveConfig(),
      limits: poolLimits({ max }),
      onMember: (member) => given.push(member),
      onFailure: (error) => failures.push(error),
    });
    try {
      await fn({ driver, members, given, failures });
    } finally {
      await settled();
      for (const member of given) members.retire(member);
      await members.close();
      assert(driver.sessions.every(({ closed }) => closed));
    }
  });
}

/** Resolves once all that can happen without time passing has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

const refused = () =>
  new DatabaseError({ code: "08001", message: "Cannot connect: refused" });

membersTest(
  "Members.fetch() begins to open at once, and gives each session once",
  async ({ driver, members, given }) => {
    for (let count = 0; count < 3; count++) members.fetch();
    assertEquals([driver.attempts, members.fetching], [3, 3]);
    await settled();
    assertEquals([members.fetching, given.length], [0, 3]);
    assertEquals(new Set(given).size, 3);
    assertEquals(driver.sessions.length, 3);
  },
);

membersTest(
  "Members.retire() closes a session at once, and makes room for another",
  async ({ driver, members, given }) => {
    members.fetch();
    await settled();
    members.retire(given.pop()!);
    assertEquals(driver.sessions[0].closed, true);
    members.fetch();
    while (given.length === 0) await settled();
    assertEquals([driver.attempts, given[0].session.broken], [2, false]);
  },
  1,
);

membersTest(
  "Members.retire() makes no room for another before the session is closed",
  async ({ driver, members, given }) => {
    members.fetch();
    await settled();
    const [{ session }] = given;
    const closing = Promise.withResolvers<void>();
    const close = session.close.bind(session);
    session.close = async () => {
      await close();
      await closing.promise;
    };
    members.retire(given.pop()!);
    members.fetch();
    await settled();
    assertEquals([driver.attempts, members.fetching], [1, 1]);
    closing.resolve();
    await settled();
    assertEquals([driver.attempts, members.fetching], [2, 0]);
  },
  1,
);

membersTest(
  "Members.fetch() tells of a driver that fails without a reason",
  async ({ driver, members, given, failures }) => {
    driver.connect = () => Promise.reject(undefined);
    members.fetch();
    await settled();
    assertEquals([given.length, members.fetching], [0, 0]);
    assertEquals(
      failures.map(String),
      ["Error: the driver gave no reason"],
    );
  },
);

membersTest(
  "Members.fetch() opens no more than max, and the rest when one was retired",
  async ({ driver, members, given }) => {
    for (let count = 0; count < 3; count++) members.fetch();
    while (given.length < 2) await Promise.resolve();
    assertEquals([driver.attempts, members.fetching], [2, 1]);
    members.retire(given.pop()!);
    while (given.length < 2) await settled();
    assertEquals([driver.attempts, members.fetching], [3, 0]);
  },
  2,
);

membersTest(
  "Members.fetch() tells each that failed, and opens again",
  async ({ driver, members, given, failures }) => {
    driver.failure = refused();
    members.fetch();
    members.fetch();
    await settled();
    assertEquals(failures, [driver.failure, driver.failure]);
    driver.failure = undefined;
    members.fetch();
    await settled();
    assertEquals([members.fetching, given.length], [0, 1]);
  },
);

membersTest(
  "A session that ends as soon as it was given holds no place",
  async ({ driver, members, given }) => {
    members.fetch();
    while (given.length === 0) await Promise.resolve();
    const [ended] = given.splice(0);
    await ended.session.close();
    members.retire(ended);
    members.fetch();
    while (given.length === 0) await settled();
    assertEquals([driver.attempts, members.fetching], [2, 0]);
    assertEquals(given.map(({ session }) => session.broken), [false]);
  },
  1,
);

membersTest(
  "abort() ends what is being opened, and close() waits for it",
  async ({ driver, members, given, failures }) => {
    const gate = Promise.withResolvers<void>();
    driver.gate = gate.promise;
    members.fetch();
    const reason = new Error("closed");
    members.abort(reason);
    gate.resolve();
    await settled();
    assertEquals([given.length + failures.length, members.fetching], [1, 0]);
  },
);

membersTest(
  "A session that is lent already isn't closed for its age",
  async ({ driver, members, given }) => {
    members.fetch();
    while (given.length === 0) await Promise.resolve();
    Object.assign(given[0], { expiresAt: performance.now() });
    await settled();
    assertEquals([driver.attempts, driver.sessions[0].closed], [1, false]);
  },
);
