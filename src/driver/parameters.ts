/**
 * What a server reports of itself.
 *
 * @module
 */

import { parseParameter } from "./frames.ts";

/** Parameters by name; those that nobody asks for aren't read. */
export class Parameters {
  #unread: Uint8Array[] = [];
  #read: Record<string, string> = {};

  /**
   * Takes a report.
   *
   * @param body The body of a ParameterStatus; it is copied.
   */
  add(body: Uint8Array): void {
    this.#unread.push(body.slice());
  }

  /** All parameters, as one record that later reports are put into. */
  read(): Readonly<Record<string, string>> {
    for (const body of this.#unread.splice(0)) {
      const [name, value] = parseParameter(body);
      this.#read[name] = value;
    }
    return this.#read;
  }
}
