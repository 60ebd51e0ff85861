/**
 * The proxy before a real server, which stays in step with every driver.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { server } from "./database.ts";
import { driverTest } from "./drivers.ts";
import { type Action, faultProxy } from "./fault_proxy.ts";
import { codeOf, config } from "./sessions.ts";

driverTest(
  "and a real server stay in step through faultProxy()'s faults",
  async (driver) => {
    const table = `proxied_${crypto.randomUUID().replaceAll("-", "")}`;
    const direct = await driver.connect(config);
    const count = async () =>
      (await direct.query(`SELECT count(*) FROM ${table}`)).rows[0][0];
    await direct.query(`CREATE TABLE ${table} (id INT8 PRIMARY KEY)`);
    const insert = `INSERT INTO ${table} VALUES ($1::INT8)`;

    const error = { code: "40001", message: "restart transaction" };
    let fault: { text: string; action: Action } | undefined;
    await using proxy = await faultProxy({
      upstream: { host: config.host, port: config.port },
      onFrame: ({ text }) => {
        if (text === undefined || text !== fault?.text) return "pass";
        const { action } = fault;
        fault = undefined;
        return action;
      },
    });
    const through = { ...config, host: "127.0.0.1", port: proxy.port };
    let session = await driver.connect(through);

    await session.query("BEGIN");
    fault = { text: insert, action: { error } };
    assertEquals(await codeOf(session.query(insert, ["1"])), "40001");
    assertEquals(session.transactionStatus, "failed");
    assertEquals(await codeOf(session.query("SELECT 1")), "25P02");
    await session.query("ROLLBACK");

    await session.query("BEGIN");
    await session.query(insert, ["2"]);
    fault = { text: "COMMIT", action: { error } };
    assertEquals(await codeOf(session.query("COMMIT")), "40001");
    assertEquals(session.transactionStatus, "idle");
    assertEquals(await count(), "0");

    await session.query("BEGIN");
    await session.query(insert, ["3"]);
    fault = { text: "COMMIT", action: { cut: "before" } };
    assertEquals(await codeOf(session.query("COMMIT")), "08006");
    assertEquals(await count(), "0");

    session = await driver.connect(through);
    await session.query("BEGIN");
    await session.query(insert, ["4"]);
    fault = { text: "COMMIT", action: { cut: "after" } };
    assertEquals(await codeOf(session.query("COMMIT")), "08006");
    assertEquals(await count(), "1");

    session = await driver.connect(through);
    fault = {
      text: insert,
      action: { errorAfter: { ...error, code: "40003" } },
    };
    assertEquals(await codeOf(session.query(insert, ["5"])), "40003");
    assertEquals(await count(), "2");
    fault = {
      text: "SHOW JOBS",
      action: { rewrite: "SELECT 7::INT8 AS job_id" },
    };
    assertEquals((await session.query("SHOW JOBS")).rows, [["7"]]);

    await session.close();
    await direct.query(`DROP TABLE ${table}`);
    await direct.close();
  },
  { ignore: server.kind === "pglite" ? "PGlite has one session" : undefined },
);

driverTest(
  "meets faultProxy()'s faults in a query that is parsed only once, too",
  async (driver) => {
    const text = "SELECT $1::INT8 + 1 AS n";
    let fault: Action | undefined;
    await using proxy = await faultProxy({
      upstream: { host: config.host, port: config.port },
      onFrame(frame) {
        if (frame.text !== text) return "pass";
        const action = fault;
        fault = undefined;
        return action;
      },
    });
    const through = { ...config, host: "127.0.0.1", port: proxy.port };
    const session = await driver.connect(through);
    const run = () => session.query(text, ["41"]);
    const { now } = Date;
    // A name lasts for a second, which a slow machine may take for this test.
    Date.now = () => 5_000;
    try {
      for (let round = 0; round < 10; round++) await run();
      proxy.reset();
      fault = { error: { code: "40001", message: "restart transaction" } };
      assertEquals(await codeOf(run()), "40001");
      fault = { errorAfter: { code: "40003", message: "is ambiguous" } };
      assertEquals(await codeOf(run()), "40003");
      fault = { rewrite: "SELECT $1::INT8 + 2 AS n" };
      assertEquals((await run()).rows, [["43"]]);
      assertEquals((await run()).rows, [["42"]]);
      fault = {
        error: { severity: "FATAL", code: "57P01", message: "draining" },
      };
      assertEquals(await codeOf(run()), "57P01");
    } finally {
      Date.now = now;
    }
    const type = driver.name === "pg" ? "Parse" : "Bind";
    assertEquals(
      proxy.log.filter((line) => line.endsWith(text)),
      new Array(5).fill(`1 client ${type} ${text}`),
    );
    await session.close();
  },
  { ignore: server.kind === "pglite" ? "PGlite has one session" : undefined },
);
