import { assertEquals } from "@std/assert";
import { describeServer } from "../../src/database/server_info.ts";

Deno.test("describeServer() reads CockroachDB's words, whichever version of PostgreSQL it reports", () => {
  assertEquals(
    describeServer(
      "CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/06/01, go1.23)",
      "13.0.0",
    ),
    { kind: "cockroachdb", version: "v25.2.1" },
  );
  assertEquals(
    describeServer("CockroachDB OSS of my own", "13.0.0"),
    { kind: "cockroachdb", version: "CockroachDB OSS of my own" },
  );
});

Deno.test("describeServer() reads PostgreSQL's words", () => {
  const version = "PostgreSQL 15.18 (Debian 15.18-1) on x86_64-pc-linux-gnu";
  assertEquals(
    describeServer(version, "15.18 (Debian 15.18-1)"),
    { kind: "postgresql", version: "15.18" },
  );
  assertEquals(describeServer(version, ""), {
    kind: "postgresql",
    version,
  });
});
