/**
 * The first words of a schema change: what is done to which kind of object.
 *
 * @module
 */

import type { NamedObject } from "./effect.ts";
import type { Reader } from "./reader.ts";

/** What stands between CREATE, ALTER or DROP and the name of an object. */
export interface Head {
  /** `CREATE`, `ALTER` or `DROP`. */
  readonly action: string;
  /** The kind of object, such as `TABLE`; a word that is none where it isn't known. */
  readonly object: string;
  /** The words before it, such as `UNIQUE`. */
  readonly modifiers: readonly string[];
}

/** The objects that are called by a name alone, and what the catalog calls them. */
export const NAMED_OBJECTS: Readonly<Record<string, NamedObject | "view">> = {
  "TABLE": "table",
  "FOREIGN TABLE": "table",
  "VIEW": "view",
  "MATERIALIZED VIEW": "view",
  "SEQUENCE": "sequence",
  "SCHEMA": "schema",
  "DATABASE": "database",
  "ROLE": "role",
  "USER": "role",
  "GROUP": "role",
  "TYPE": "type",
  "DOMAIN": "type",
  "EXTENSION": "extension",
};

/** Other objects of two words, which their first word would mistake. */
const LONG_OBJECTS = [
  "MATERIALIZED VIEW",
  "FOREIGN TABLE",
  "FOREIGN DATA WRAPPER",
  "DEFAULT PRIVILEGES",
  "EVENT TRIGGER",
  "USER MAPPING",
  "OPERATOR CLASS",
  "OPERATOR FAMILY",
  "ACCESS METHOD",
  "EXTERNAL CONNECTION",
  "TEXT SEARCH",
  "VIRTUAL CLUSTER",
];

const MODIFIERS = [
  "OR REPLACE",
  "GLOBAL",
  "LOCAL",
  "TEMPORARY",
  "TEMP",
  "UNLOGGED",
  "UNIQUE",
  "INVERTED",
  "VECTOR",
  "RECURSIVE",
  "CONSTRAINT",
  "TRUSTED",
  "PROCEDURAL",
];

/**
 * Takes the head of a CREATE, ALTER or DROP statement.
 *
 * @param reader The cursor, at the first word.
 * @returns The head; `undefined` where the statement begins with another word.
 */
export function readHead(reader: Reader): Head | undefined {
  const action = reader.takeOne("CREATE", "ALTER", "DROP");
  if (action === undefined) return undefined;
  const modifiers: string[] = [];
  for (;;) {
    const modifier = reader.takeOne(...MODIFIERS);
    if (modifier === undefined) break;
    modifiers.push(modifier);
  }
  const long = reader.takeOne(...LONG_OBJECTS);
  const object = long ?? reader.next.word;
  if (long === undefined) reader.skip();
  return { action, object, modifiers };
}
