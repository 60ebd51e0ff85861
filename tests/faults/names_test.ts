import { chosenCases } from "../support/faults.ts";
import { type Case, lostAnswerTest } from "../support/lost_answer.ts";

const tables = (name: string) =>
  `SELECT count(*)::INT8 AS n FROM pg_catalog.pg_class WHERE relname = '${name}'`;
const columns = (name: string) =>
  `SELECT count(*)::INT8 AS n FROM information_schema.columns WHERE column_name = '${name}'`;
const roles = (name: string) =>
  `SELECT count(*)::INT8 AS n FROM pg_catalog.pg_roles WHERE rolname = '${name}'`;

/** A role with a schema that `"$user"` leads to, each with a table of the same name. */
const ROLE = [
  "CREATE ROLE IF NOT EXISTS crdb_names",
  "CREATE SCHEMA crdb_names",
  "CREATE TABLE public.t (a INT8)",
  "CREATE INDEX ON public.t (a)",
  "CREATE INDEX ON public.t (a)",
  "CREATE TABLE crdb_names.t (a INT8)",
  "GRANT ALL ON SCHEMA crdb_names TO crdb_names",
  "GRANT ALL ON TABLE crdb_names.t TO crdb_names",
];
const POSTGRES_ROLE = ROLE.map((text) =>
  text.replace(
    /^CREATE ROLE IF NOT EXISTS (\w+)$/,
    "DO $$$$ BEGIN CREATE ROLE $1; EXCEPTION WHEN duplicate_object THEN NULL; END $$$$",
  )
);

/** With the mark on its own: CockroachDB has it on the letter. */
const APART = "e\u0301";
const TOGETHER = "\u00e9";

const CASES: readonly Case[] = [
  {
    name: "CREATE INDEX under a role whose schema has the table, too",
    before: [...ROLE, "ALTER TABLE crdb_names.t OWNER TO crdb_names"],
    statement: "SET ROLE crdb_names; CREATE INDEX ON t (a)",
    end: [
      "SELECT count(*)::INT8 AS n FROM pg_catalog.pg_indexes WHERE schemaname = 'crdb_names' AND indexname <> 't_pkey'",
      1,
    ],
    on: ["cockroachdb"],
  },
  {
    name: "DROP TABLE under a role whose schema has the table, too",
    before: [
      ...POSTGRES_ROLE,
      "ALTER TABLE crdb_names.t OWNER TO crdb_names",
      "ALTER TABLE public.t OWNER TO crdb_names",
    ],
    statement: "SET ROLE crdb_names; DROP TABLE t",
    end: [tables("t"), 1],
    on: ["postgresql"],
  },
  {
    name: "CREATE TABLE of a name whose marks stand apart",
    before: [],
    statement: `CREATE TABLE ${APART} (a INT8)`,
    end: [tables(TOGETHER), 1],
    on: ["cockroachdb"],
  },
  {
    name: "ADD COLUMN of a name in quotes whose marks stand apart",
    before: ["CREATE TABLE public.t (a INT8)"],
    statement: `ALTER TABLE t ADD COLUMN "${APART}" INT8`,
    end: [columns(TOGETHER), 1],
    on: ["cockroachdb"],
  },
  {
    name: "CREATE TABLE of a name that ends with a sigma",
    before: [],
    statement: "CREATE TABLE ΣΑΣ (a INT8)",
    end: [tables("σασ"), 1],
    on: ["cockroachdb"],
  },
  {
    name: "ADD COLUMN of a name with a dotted capital I",
    before: ["CREATE TABLE public.t (a INT8)"],
    statement: "ALTER TABLE t ADD COLUMN İx INT8",
    end: [columns("ix"), 1],
    on: ["cockroachdb"],
  },
  {
    name: "CREATE USER of a name in quotes",
    before: ["DROP ROLE IF EXISTS crdb_quoted"],
    statement: 'CREATE USER "Crdb_Quoted"',
    end: [roles("crdb_quoted"), 1],
    on: ["cockroachdb"],
  },
  {
    name: "DROP ROLE of a name in quotes",
    before: ["CREATE USER IF NOT EXISTS crdb_dropped"],
    statement: 'DROP ROLE "Crdb_Dropped"',
    end: [roles("crdb_dropped"), 0],
    on: ["cockroachdb"],
  },
  {
    name: "ALTER COLUMN TYPE INT USING, where INT has four bytes",
    before: [
      "CREATE TABLE public.t (a INT2)",
      "INSERT INTO public.t VALUES (5)",
    ],
    statement:
      "SET default_int_size = 4; SET enable_experimental_alter_column_type_general = true; " +
      "ALTER TABLE t ALTER COLUMN a TYPE INT USING a * 2",
    end: ["SELECT a::INT8 AS n FROM public.t", 10],
    on: ["cockroachdb"],
  },
  {
    name: "ALTER COLUMN TYPE INT USING",
    before: [
      "CREATE TABLE public.t (a INT2)",
      "INSERT INTO public.t VALUES (5)",
    ],
    statement: "SET enable_experimental_alter_column_type_general = true; " +
      "ALTER TABLE t ALTER COLUMN a TYPE INT USING a * 2",
    end: ["SELECT a::INT8 AS n FROM public.t", 10],
    on: ["cockroachdb"],
  },
  {
    name: "ALTER COLUMN TYPE of an enum USING",
    before: [
      "CREATE TYPE public.temper AS ENUM ('low', 'high')",
      "CREATE TABLE public.t (a TEXT)",
      "INSERT INTO public.t VALUES ('low')",
    ],
    statement: "SET enable_experimental_alter_column_type_general = true; " +
      "ALTER TABLE t ALTER COLUMN a TYPE temper USING (CASE a WHEN 'low' THEN 'high' ELSE 'low' END)::temper",
    end: ["SELECT count(*)::INT8 AS n FROM public.t WHERE a = 'high'", 1],
    on: ["cockroachdb"],
  },
  {
    name: "ADD UNIQUE WITHOUT INDEX",
    before: ["CREATE TABLE public.t (a INT8)"],
    statement:
      "SET experimental_enable_unique_without_index_constraints = true; " +
      "ALTER TABLE t ADD CONSTRAINT u UNIQUE WITHOUT INDEX (a)",
    end: [
      "SELECT count(*)::INT8 AS n FROM pg_catalog.pg_constraint WHERE conname = 'u'",
      1,
    ],
    on: ["cockroachdb"],
  },
];

for (const one of chosenCases(CASES)) lostAnswerTest(one);
