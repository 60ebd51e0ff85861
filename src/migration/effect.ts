/**
 * What a schema change leaves behind in the catalog, as data. Names are as the catalog has them:
 * folded to lower case where they stood without quotes.
 *
 * @module
 */

import type { ObjectName } from "./reader.ts";

/** The objects that a name alone stands for. */
export type NamedObject =
  | "table"
  | "sequence"
  | "schema"
  | "database"
  | "role"
  | "type"
  | "extension";

/** One thing that the catalog holds, or no longer holds, once a statement has been done. */
export type Effect =
  | {
    readonly type: NamedObject;
    readonly name: ObjectName;
    readonly present: boolean;
  }
  | {
    readonly type: "view";
    readonly name: ObjectName;
    readonly materialized: boolean;
    readonly present: boolean;
  }
  | {
    readonly type: "function";
    readonly name: ObjectName;
    /** The text between the parentheses; `undefined` where there are none. */
    readonly parameters?: string;
    readonly present: boolean;
  }
  | {
    readonly type: "trigger" | "policy";
    readonly table: ObjectName;
    readonly name: string;
    readonly present: boolean;
  }
  | {
    readonly type: "column";
    readonly table: ObjectName;
    readonly column: string;
    readonly present: boolean;
    /** The type as written, with single spaces. */
    readonly dataType?: string;
  }
  | {
    readonly type: "column-type";
    readonly table: ObjectName;
    readonly column: string;
    /** The type as written, with single spaces. */
    readonly dataType: string;
  }
  | {
    readonly type: "column-default";
    readonly table: ObjectName;
    readonly column: string;
    readonly set: boolean;
    /** The default as written, with single spaces. */
    readonly expression?: string;
  }
  | {
    readonly type: "column-not-null";
    readonly table: ObjectName;
    readonly column: string;
    readonly value: boolean;
  }
  | {
    readonly type: "column-identity";
    readonly table: ObjectName;
    readonly column: string;
    readonly present: boolean;
  }
  | {
    /** The column is no longer generated from others. */
    readonly type: "column-plain";
    readonly table: ObjectName;
    readonly column: string;
  }
  | {
    /** A partition of a table, or a table that inherits from it. */
    readonly type: "child";
    readonly table: ObjectName;
    readonly child: ObjectName;
    readonly present: boolean;
  }
  | {
    readonly type: "index";
    /** The table, where the statement names it. */
    readonly table?: ObjectName;
    /** `undefined` where the server makes the name. */
    readonly name?: ObjectName;
    readonly present: boolean;
    /** The key columns; `undefined` where one is an expression, or the statement names none. */
    readonly columns?: readonly string[];
    readonly unique?: boolean;
    /** How many indexes the table had before; for one without a name. */
    readonly before?: string;
  }
  | {
    readonly type: "constraint";
    readonly table: ObjectName;
    /** `undefined` where the server makes the name. */
    readonly name?: string;
    readonly present: boolean;
    readonly constraintType?: ConstraintType;
    /** The columns of the table; `undefined` for a check. */
    readonly columns?: readonly string[];
    /** Whether existing rows were checked; `undefined` where the statement doesn't say. */
    readonly validated?: boolean;
    /** How many such constraints the table had before; for one without a name. */
    readonly before?: string;
  }
  | {
    readonly type: "domain-constraint";
    readonly domain: ObjectName;
    readonly name: string;
    readonly present: boolean;
    /** Whether existing values were checked; `undefined` where the statement doesn't say. */
    readonly validated?: boolean;
  }
  | {
    readonly type: "primary-key";
    readonly table: ObjectName;
    readonly columns: readonly string[];
  }
  | {
    readonly type: "truncation";
    readonly table: ObjectName;
    /** What the table's rows were kept in before; `null` where nothing of its own. */
    readonly before?: string | null;
  }
  | {
    readonly type: "restart";
    readonly sequence: ObjectName;
    /** What the sequence's value was kept in before; `null` where nothing of its own. */
    readonly before?: string | null;
  }
  | {
    readonly type: "enum-value";
    readonly typeName: ObjectName;
    readonly value: string;
    readonly present: boolean;
  }
  | {
    /** Done when `to` exists and `from` does not. */
    readonly type: "rename";
    readonly object:
      | NamedObject
      | "view"
      | "index"
      | "column"
      | "constraint"
      | "domain-constraint"
      | "enum-value";
    /** What the object belongs to: the table, the domain, or the type of an enum's value. */
    readonly of?: ObjectName;
    readonly from: ObjectName;
    readonly to: ObjectName;
  }
  | {
    readonly type: "comment";
    readonly object: NamedObject | "view" | "index" | "column" | "constraint";
    /** The object; for a column, a constraint, or an index written `table@index`, its table. */
    readonly name: ObjectName;
    /** The column, constraint or index. */
    readonly part?: string;
    /** `null` where the comment was removed. */
    readonly text: string | null;
  }
  | {
    readonly type: "grant";
    /** In upper case; `["ALL"]` for all. For a membership, the roles. */
    readonly privileges: readonly string[];
    /** What kind of object; `"role"` for a membership. */
    readonly on: "table" | "sequence" | "schema" | "database" | "type" | "role";
    /** The objects; empty for a membership. */
    readonly objects: readonly ObjectName[];
    readonly to: readonly string[];
    readonly granted: boolean;
  }
  | {
    /** A part of the statement of which the catalog can't tell. */
    readonly type: "hidden";
  };

/** The kinds of constraint. */
export type ConstraintType =
  | "primary-key"
  | "unique"
  | "check"
  | "foreign-key"
  | "exclude";

/** What is known of a statement's outcome before it runs. */
export interface Outcome {
  /** What the catalog then holds; `undefined` where that can't tell that it was done. */
  readonly effects?: readonly Effect[];
  /** Whether running the statement a second time leaves the same result without an error. */
  readonly idempotent: boolean;
  /** Whether it replaces what has the same name. */
  readonly replaces?: boolean;
}

/** Nothing can be looked up, and a second run may fail or do more. */
export const UNKNOWN: Outcome = { idempotent: false };

/** Nothing can be looked up, and a second run is harmless. */
export const HARMLESS: Outcome = { idempotent: true };

/** The outcome of a statement whose effects are known. */
export function certain(effects: Effect[], idempotent = false): Outcome {
  return { effects, idempotent };
}
