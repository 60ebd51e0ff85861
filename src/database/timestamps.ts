/**
 * Timestamps as servers write and read them, to and from JavaScript's `Date` and `Temporal`. Pure,
 * and the same in every time zone: a timestamp without a zone is taken as UTC.
 *
 * @module
 */

const PLUS = 43;
const DASH = 45;
const DIGIT_0 = 48;

/** What nearly all timestamps look like: a year from 100 to 9999, and an offset of whole hours. */
const COMMON_FORM =
  /^(?!00)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d)?$/;

const SERVER_FORM =
  /^(\d{4,6})-(\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/;

/** `infinity` on CockroachDB before v24.3, which no `Date` or `Temporal` can hold. */
const OLD_INFINITY = "294276-12-31 23:59:59.999999";

/** The number that stands for `infinity` or `-infinity`; `undefined` for any other text. */
function infinity(text: string): number | undefined {
  if (text === "infinity" || text.startsWith(OLD_INFINITY)) return Infinity;
  return text === "-infinity" ? -Infinity : undefined;
}

/** The parts of a server's timestamp, with the year as ISO 8601 writes it. */
function parts(text: string): { local: string; offset: string } {
  const found = SERVER_FORM.exec(text);
  if (found === null) {
    throw new RangeError(
      "the text is not an ISO timestamp; set the session's DateStyle to ISO",
    );
  }
  const [, digits, date, time, fraction, sign, hours, minutes, seconds, bc] =
    found;
  const year = bc === undefined ? Number(digits) : 1 - Number(digits);
  const local = `${isoYear(year)}-${date}T${time}${
    fraction === undefined ? "" : `.${fraction}`
  }`;
  if (sign === undefined) return { local, offset: "" };
  return {
    local,
    offset: `${sign}${hours}:${minutes ?? "00"}${
      seconds === undefined ? "" : `:${seconds}`
    }`,
  };
}

/** A year as ISO 8601 writes it: four digits, or a sign and six. */
function isoYear(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, "0");
  return (year < 0 ? "-" : "+") + String(Math.abs(year)).padStart(6, "0");
}

/** Milliseconds of an ISO text whose offset may have seconds, as those before standard time do. */
function epochMs(local: string, offset: string): number {
  const seconds = Number(offset.slice(7));
  const ms = Date.parse(local + (offset.slice(0, 6) || "Z"));
  return ms + (offset.startsWith("-") ? 1000 : -1000) * seconds;
}

/** Reads what isn't of the common form. */
function uncommonDate(text: string): Date | number {
  const infinite = infinity(text);
  if (infinite !== undefined) return infinite;
  const { local, offset } = parts(text);
  const date = new Date(epochMs(local, offset));
  if (!Number.isNaN(date.getTime())) return date;
  throw new RangeError(
    'the value is beyond what a Date can hold; use timestamps: "string"',
  );
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - DIGIT_0) * 10 + text.charCodeAt(at + 1) -
    DIGIT_0;
}

/**
 * Reads a TIMESTAMP or a TIMESTAMPTZ as a `Date`. Without an offset the text is taken as UTC; digits
 * below a millisecond are cut off, towards the past.
 *
 * @param text The server's text, in `DateStyle` ISO.
 * @returns The date, or `Infinity` or `-Infinity` for the server's infinities.
 * @throws {RangeError} Where the text is no ISO timestamp, or lies beyond what a `Date` can hold.
 */
export function toDate(text: string): Date | number {
  if (!COMMON_FORM.test(text)) return uncommonDate(text);
  // By hand, since this is most of the time that a result with timestamps takes to decode.
  const sign = text.charCodeAt(text.length - 3);
  const zoned = sign === PLUS || sign === DASH;
  const end = zoned ? text.length - 3 : text.length;
  const offset = zoned ? twoDigits(text, end + 1) : 0;
  let ms = 0;
  if (end > 20) ms += (text.charCodeAt(20) - DIGIT_0) * 100;
  if (end > 21) ms += (text.charCodeAt(21) - DIGIT_0) * 10;
  if (end > 22) ms += text.charCodeAt(22) - DIGIT_0;
  return new Date(Date.UTC(
    twoDigits(text, 0) * 100 + twoDigits(text, 2),
    twoDigits(text, 5) - 1,
    twoDigits(text, 8),
    twoDigits(text, 11) - (sign === DASH ? -offset : offset),
    twoDigits(text, 14),
    twoDigits(text, 17),
    ms,
  ));
}

/** `Temporal`, where the runtime has it. */
function temporal(): typeof Temporal {
  if (typeof Temporal === "object") return Temporal;
  throw new TypeError(
    'this runtime has no Temporal; use timestamps: "date" or "string"',
  );
}

/**
 * Reads a TIMESTAMPTZ as a `Temporal.Instant`, with all its digits.
 *
 * @param text The server's text, in `DateStyle` ISO.
 * @returns The instant, or `Infinity` or `-Infinity` for the server's infinities.
 * @throws {RangeError} Where the text is no ISO timestamp, or lies beyond what `Temporal` can hold.
 * @throws {TypeError} Where the runtime has no `Temporal`.
 */
export function toInstant(text: string): Temporal.Instant | number {
  const { Instant } = temporal();
  const infinite = infinity(text);
  if (infinite !== undefined) return infinite;
  const { local, offset } = parts(text);
  return Instant.from(local + (offset || "Z"));
}

/**
 * Reads a TIMESTAMP as a `Temporal.PlainDateTime`, with all its digits.
 *
 * @param text The server's text, in `DateStyle` ISO.
 * @returns The date and time, or `Infinity` or `-Infinity` for the server's infinities.
 * @throws {RangeError} Where the text is no ISO timestamp, or lies beyond what `Temporal` can hold.
 * @throws {TypeError} Where the runtime has no `Temporal`.
 */
export function toPlainDateTime(text: string): Temporal.PlainDateTime | number {
  const { PlainDateTime } = temporal();
  return infinity(text) ?? PlainDateTime.from(parts(text).local);
}

/**
 * Rewrites an ISO 8601 date or timestamp for a server, which knows no signed years: years beyond
 * 9999 stand without a sign, and years before 1 are counted back from 1 BC.
 *
 * @param iso What `toISOString()` or the `toString()` of a `Temporal` type gave.
 * @returns The text that PostgreSQL and CockroachDB read.
 */
export function fromIso(iso: string): string {
  const signed = iso.startsWith("+") || iso.startsWith("-");
  if (!signed && !iso.startsWith("0000")) return iso;
  const dash = iso.indexOf("-", 1);
  const year = Number(iso.slice(0, dash));
  return year > 0
    ? year + iso.slice(dash)
    : String(1 - year).padStart(4, "0") + iso.slice(dash) + " BC";
}
