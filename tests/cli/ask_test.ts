import { assertEquals } from "@std/assert";
import { ask } from "../../src/cli/ask.ts";
import type { Outcome } from "../../src/cli/command.ts";
import { createReporter } from "../../src/cli/reporter.ts";
import { Arguments } from "../../src/cli/values.ts";
import { delay } from "../../src/delay.ts";
import {
  call,
  callJson,
  type Signal,
  start,
  urlOf,
  withFolder,
} from "../support/cli.ts";
import { databaseTest } from "../support/database.ts";

const FILES = {
  "1_wait.sql": "SELECT pg_sleep(2);\n-- @UNDO\nSELECT 1;",
};

const NOTHING = "nothing is changed";
const COMMANDS: [string, string][] = [
  ["status", `${NOTHING}; run status again`],
  ["verify", `${NOTHING}; run verify again`],
  ["plan", `${NOTHING}; run plan again`],
  ["migrate --dry-run", `${NOTHING}; run migrate --dry-run again`],
  ["rollback --dry-run", `${NOTHING}; run rollback --dry-run again`],
  ["unlock", "whether the lease is ended isn't known; run unlock again"],
  ["baseline 1", "nothing is noted; run baseline 1 again"],
  ["repair 1 --done", "nothing is noted; run repair 1 --done again"],
  ["redo", "0 migrations undone and applied again; run redo again to go on"],
  ["reset --yes", "0 migrations rolled back; run reset --yes to go on"],
];

for (const [index, [command, rest]] of COMMANDS.entries()) {
  const signal = index % 2 === 0 ? "SIGTERM" : "SIGINT";
  Deno.test(`crdb ${command} as a process ends with a document at ${signal}`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    await withFolder(FILES, async (folder) => {
      const args = [...command.split(" "), "--json", "--dir", folder];
      const child = start(args, {
        flags: [
          `--allow-net=127.0.0.1:${port}`,
          `--allow-read=${folder}`,
          "--allow-env=DATABASE_URL",
        ],
        env: {
          DATABASE_URL: `postgres://root@127.0.0.1:${port}/d?sslmode=disable`,
        },
      });
      using _silent = await listener.accept();
      child.send(signal);
      const { code, stdout, stderr } = await child.result();
      assertEquals(code, 130, stderr);
      const { ok, error } = JSON.parse(stdout);
      assertEquals([ok, error], [false, {
        message: `Interrupted: ${rest}`,
        kind: "interrupted",
      }]);
    });
  });
}

databaseTest(
  "crdb baseline stops waiting for another run at Ctrl-C",
  (_, fresh) =>
    withFolder(FILES, async (folder) => {
      const options = ["--url", urlOf(fresh), "--dir", folder];
      let second: ReturnType<typeof callJson> | undefined;
      const first = await call(["migrate", ...options], {
        onStderr(text) {
          if (!text.includes("pg_sleep")) return;
          second ??= callJson(["baseline", "1", ...options], {
            onStderr: (text, send) => {
              if (text.includes("who holds the lease since")) send("SIGINT");
            },
          });
        },
      });
      const { code, json } = await second!;
      assertEquals([code, json], [130, {
        command: "baseline",
        ok: false,
        error: {
          message: "Interrupted: nothing is noted; run baseline 1 again",
          kind: "interrupted",
        },
      }]);
      assertEquals(first.stdout, "1 migration applied\n");
    }),
);

databaseTest(
  "ask() waits for what holds the lease, though nothing can be told of it",
  (_, fresh) =>
    withFolder(FILES, async (folder) => {
      let send!: (signal: Signal) => void;
      const stream = { isTerminal: false, write: () => {} };
      const io = {
        stdout: stream,
        stderr: stream,
        listen(listener: (signal: Signal) => void) {
          send = listener;
          return () => {};
        },
      };
      const options = new Map([["url", urlOf(fresh)], ["dir", folder]]);
      const args = new Arguments(options, new Set(), []);
      const { data, error }: Outcome = await ask(
        { args, io, reporter: createReporter(args, io) },
        {
          command: "baseline 1",
          isNote: true,
          onEvent: () => {
            throw new Error("No space left on device");
          },
        },
        async (migration) => {
          const noted = await migration.baseline("1");
          send("SIGINT");
          await delay(1_500);
          return { data: { noted } };
        },
      );
      assertEquals(
        [data, (error as DOMException).message],
        [{ noted: 1 }, "Interrupted: it was through by then"],
      );
    }),
);
