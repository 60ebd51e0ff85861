import { assertEquals } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { DatabaseError, MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { server } from "../support/database.ts";
import { strategiesOf } from "../support/faults.ts";
import { startCockroach } from "../support/cockroach_server.ts";
import { climb } from "../support/ladder.ts";

/** A server of this test's own, of the kind that the others run on. */
const own =
  await (server.kind === "cockroachdb"
    ? startCockroach("path=store")
    : climb([server.kind]).catch(() => undefined));
const reason = own === undefined
  ? `it needs the server's own binary, to restart it`
  : own.restart === undefined
  ? `${own.description} can't be restarted`
  : undefined;
Deno.test.afterAll(() => own?.stop());

const SOURCE = bundle([
  {
    name: "001_create_the_table.sql",
    text: "CREATE TABLE steps (id INT8 PRIMARY KEY, n INT8 NOT NULL);\n" +
      "INSERT INTO steps SELECT i, 0 FROM generate_series(1, 30) AS g (i);",
  },
  {
    name: "002_go_slowly.sql",
    text: "ALTER TABLE steps ADD COLUMN extra INT8;\n" +
      "-- @BACKFILL table=steps key=id batch=3 pause=200ms\n" +
      "UPDATE steps SET n = n + 1 WHERE id BETWEEN $from AND $to;\n" +
      "ALTER TABLE steps ADD COLUMN another INT8;",
  },
]);

for (const strategy of strategiesOf(server.kind)) {
  Deno.test({
    name:
      `migrate() goes on after the server was restarted in its middle (${strategy})${
        reason ? ` [ignored: ${reason}]` : ""
      }`,
    ignore: reason !== undefined,
    fn: async () => {
      const table = `_${strategy}`;
      await using db = new Database({ url: own!.url });
      await db.dropTable("steps", { ifExists: true });
      let restarted: Promise<void> | undefined;
      const options = { source: SOURCE, strategy, table };
      const error = await new Migration(db, {
        ...options,
        onEvent: ({ type }) => {
          if (type === "backfill-progress") restarted ??= own!.restart!();
        },
      }).migrate().then(() => undefined, (error) => error);
      assertEquals(
        error instanceof MigrationError || error instanceof DatabaseError,
        true,
        `${error}`,
      );
      await restarted;
      await using again = new Database({ url: own!.url });
      assertEquals(await new Migration(again, options).migrate(), 1);
      assertEquals(
        await again.query(
          "SELECT n, count(*) AS many, count(another) AS others FROM steps GROUP BY n",
        ),
        [{ n: 1, many: 30, others: 0 }],
      );
    },
  });
}
