/**
 * The corpus: migrations of every statement kind, in `tests/testdata/corpus/`. The first one makes
 * the base; each of the others needs nothing but that, and its undo part leaves nothing but that.
 *
 * @module
 */

import type { MigrationEntry } from "../../src/migration/file.ts";
import type { ServerKind } from "../../src/migration/server.ts";

const FOLDER = new URL("../testdata/corpus/", import.meta.url);

/** A role that the corpus grants to. */
export const READER = "crdb_faults_reader";

/** Reads the migrations that a server understands, by version. */
export async function corpusOf(kind: ServerKind): Promise<MigrationEntry[]> {
  const files: MigrationEntry[] = [];
  for (const folder of ["both", kind]) {
    for await (const { name } of Deno.readDir(new URL(`${folder}/`, FOLDER))) {
      const text = await Deno.readTextFile(
        new URL(`${folder}/${name}`, FOLDER),
      );
      files.push({ name, text });
    }
  }
  return files.sort((a, b) => a.name < b.name ? -1 : 1);
}
