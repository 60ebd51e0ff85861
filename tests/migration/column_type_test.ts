/**
 * The catalog's names of column types, with literals; a test on a server compares them with it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { catalogType } from "../../src/migration/column_type.ts";

Deno.test("catalogType() gives PostgreSQL's names", () => {
  const names: Record<string, string | undefined> = {
    "INT": "integer",
    "Numeric (10)": "numeric(10,0)",
    "DECIMAL(10 , 2)": "numeric(10,2)",
    "CHAR": "character(1)",
    "varchar(20)[]": "character varying(20)[]",
    "TIMESTAMP(3) WITH TIME ZONE": "timestamp(3) with time zone",
    "timestamptz": "timestamp with time zone",
    "DOUBLE\n PRECISION": "double precision",
    "JSON": "json",
    "INT8 ARRAY": "bigint[]",
  };
  for (const [written, name] of Object.entries(names)) {
    assertEquals(catalogType(written, "postgresql"), name, written);
  }
});

Deno.test("catalogType() gives CockroachDB's names", () => {
  const names: Record<string, string | undefined> = {
    "INT": "INT8",
    "TEXT": "STRING",
    "STRING(20)": "STRING(20)",
    "NUMERIC(5,0)": "DECIMAL(5)",
    "DECIMAL(10,2)": "DECIMAL(10,2)",
    "CHAR(1)": "CHAR",
    "JSON": "JSONB",
    "TIMESTAMP(3) WITHOUT TIME ZONE": "TIMESTAMP(3)",
    "STRING[]": "STRING[]",
  };
  for (const [written, name] of Object.entries(names)) {
    assertEquals(catalogType(written, "cockroachdb"), name, written);
  }
});

Deno.test("catalogType() gives nothing for types whose names it doesn't know", () => {
  const unknown = [
    "mood",
    "app.mood",
    '"INT"',
    "FLOAT(10)",
    "INTERVAL SECOND",
    "INT(4)",
    "constructor",
    "GEOMETRY(POINT)",
    "",
  ];
  for (const written of unknown) {
    assertEquals(catalogType(written, "postgresql"), undefined, written);
    assertEquals(catalogType(written, "cockroachdb"), undefined, written);
  }
  assertEquals(catalogType("STRING", "postgresql"), undefined);
  assertEquals(catalogType("XML", "cockroachdb"), undefined);
});
