/**
 * Makes objects of a result's rows while the rest of them is still to come, so that the decoding takes
 * time only where the server is faster.
 *
 * @module
 */

import type {
  Column,
  QueryResult,
  RowSink,
  Session,
  SessionQueryOptions,
  TextRow,
} from "../driver/driver.ts";
import type { Row } from "./crud.ts";
import { decodeRows, type ResultTypes } from "./values.ts";

/** The options of a statement, without the sink where the session doesn't know such a thing. */
export function optionsFor(
  session: Session,
  options: SessionQueryOptions,
): SessionQueryOptions {
  return session.takesSinks || options.sink === undefined
    ? options
    : { ...options, sink: undefined };
}

/** The reader of one statement's rows, however often it is run until it succeeds. */
export class RowReader implements RowSink {
  readonly #types: ResultTypes;
  #columns: readonly Column[] = [];
  #objects: Row[] = [];
  #texts: TextRow[] = [];
  #failure: { readonly error: unknown } | undefined;

  /**
   * Has read nothing yet.
   *
   * @param types The types of the database, by which values are decoded.
   */
  constructor(types: ResultTypes) {
    this.#types = types;
  }

  /** Begins a result, and forgets the one before. */
  start(columns: readonly Column[]): void {
    this.#columns = columns;
    this.#objects = [];
    this.#texts = [];
    this.#failure = undefined;
  }

  /** Takes some rows; where a type isn't known yet, they and all after them wait for the end. */
  add(rows: readonly TextRow[]): void {
    if (this.#failure !== undefined) return;
    if (this.#texts.length > 0 || this.#types.lacks(this.#columns)) {
      for (const row of rows) this.#texts.push(row);
      return;
    }
    try {
      const objects = decodeRows(this.#columns, rows, this.#types.values);
      if (this.#objects.length === 0) this.#objects = objects;
      else for (const object of objects) this.#objects.push(object);
    } catch (error) {
      this.#failure = { error };
    }
  }

  /**
   * Gives the objects, once the statement has succeeded.
   *
   * @param result What the statement answered; the rows may have been left in it.
   * @throws {TypeError} Where a value can't be decoded; the column and its type are named.
   */
  finish({ columns, rows }: QueryResult): Row[] {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { values } = this.#types;
    if (rows.length > 0) return decodeRows(columns, rows, values);
    const rest = decodeRows(this.#columns, this.#texts, values);
    return rest.length === 0 ? this.#objects : [...this.#objects, ...rest];
  }
}
