/**
 * Timestamps as servers write and read them, to and from JavaScript's `Date` and `Temporal`. Pure,
 * and the same in every time zone: a timestamp without a zone is taken as UTC.
 *
 * @module
 */

const BLANK = 32;
const PLUS = 43;
const DASH = 45;
const DOT = 46;
const DIGIT_0 = 48;
const COLON = 58;

const SERVER_FORM =
  /^(-?\d{4,6})-(\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/;

/** `infinity` on CockroachDB before v24.3, in seconds: the last that it can hold. */
const OLD_INFINITY = epochSeconds("294276", "12-31", "23:59:59");

/** `-infinity` there: the first instant of the Julian calendar's day 0; in arrays as ISO writes it. */
const OLD_MINUS_INFINITY =
  /^(4714-11-24 00:00:00(\+00)?(:00)* BC|-4713-11-24 00:00:00(\+00)?(:00)*)$/;

/** The number that stands for `infinity` or `-infinity`; `undefined` for any other text. */
function infinity(text: string): number | undefined {
  if (text === "infinity") return Infinity;
  if (text === "-infinity" || OLD_MINUS_INFINITY.test(text)) return -Infinity;
  // No `Date` and no `Temporal` can hold it, so a text that is beyond them is looked at closely.
  const [, year, date, time, fraction, sign, hours, minutes = "00"] =
    SERVER_FORM.exec(text) ?? [];
  if (fraction !== "999999" || !/^29427[67]$/.test(year)) return undefined;
  const offset = 60 * (60 * Number(hours ?? 0) + Number(minutes));
  const seconds = epochSeconds(year, date, time) -
    (sign === "-" ? -offset : offset);
  return seconds === OLD_INFINITY ? Infinity : undefined;
}

function epochSeconds(year: string, date: string, time: string): number {
  const [month, day] = date.split("-").map(Number);
  const [hours, minutes, seconds] = time.split(":").map(Number);
  const days = epochDays(Number(year), month, day);
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

/**
 * The parts of a server's timestamp, with the year as ISO 8601 writes it. In arrays CockroachDB
 * writes years before the first as ISO does: 0, -1, …
 */
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

/** A digit's value; `NaN` for any other character, and so for whatever is reckoned with it. */
function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - DIGIT_0;
  return value >= 0 && value <= 9 ? value : NaN;
}

function twoDigits(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1);
}

/** The days from 1970-01-01 to a date, in years that begin in March, for the sake of leap days. */
function epochDays(year: number, month: number, day: number): number {
  const months = month > 2 ? month - 3 : month + 9;
  const years = month > 2 ? year : year - 1;
  return years * 365 + Math.floor(years / 4) - Math.floor(years / 100) +
    Math.floor(years / 400) + Math.floor((153 * months + 2) / 5) + day -
    719_469;
}

/** Milliseconds of the part of a second from `at` to `end`, without digits below one. */
function fractionMs(text: string, at: number, end: number): number {
  if (at === end) return 0;
  if (text.charCodeAt(at) !== DOT || end - at > 7) return NaN;
  let ms = 0;
  for (let scale = 100, i = at + 1; i < end; scale /= 10, i++) {
    ms += Math.floor(digit(text, i) * scale);
  }
  return ms;
}

/**
 * Reads what nearly all timestamps look like: a year of four digits, and no offset or one of whole
 * hours. By hand, since this is most of the time that a result with timestamps takes to decode.
 *
 * @returns Milliseconds, or `NaN` for any other form.
 */
function commonMs(text: string): number {
  const { length } = text;
  if (
    length < 19 || text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH ||
    text.charCodeAt(10) !== BLANK || text.charCodeAt(13) !== COLON ||
    text.charCodeAt(16) !== COLON
  ) return NaN;
  const sign = text.charCodeAt(length - 3);
  const zoned = sign === PLUS || sign === DASH;
  const end = zoned ? length - 3 : length;
  const offset = zoned ? twoDigits(text, end + 1) : 0;
  const days = epochDays(
    twoDigits(text, 0) * 100 + twoDigits(text, 2),
    twoDigits(text, 5),
    twoDigits(text, 8),
  );
  const hours = twoDigits(text, 11) - (sign === DASH ? -offset : offset);
  const minutes = (days * 24 + hours) * 60 + twoDigits(text, 14);
  return (minutes * 60 + twoDigits(text, 17)) * 1_000 +
    fractionMs(text, 19, end);
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
  const ms = commonMs(text);
  return Number.isNaN(ms) ? uncommonDate(text) : new Date(ms);
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

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MINUTES_A_DAY = 1_440;
const TWO_DIGITS = Array.from(
  { length: 100 },
  (_, number) => String(number).padStart(2, "0"),
);
let lastDay = NaN;
let lastDayText = "";
let lastMinute = NaN;
let lastMinuteText = "";

/**
 * Writes a `Date` as a TIMESTAMPTZ in UTC. The time by hand, and a day or minute that comes again only
 * once: `toISOString()` is most of the time that a batch with timestamps takes to encode.
 *
 * @param date A valid date.
 * @returns The text that PostgreSQL and CockroachDB read.
 */
export function fromDate(date: Date): string {
  const ms = date.getTime();
  const minute = Math.floor(ms / MINUTE_MS);
  if (minute !== lastMinute) {
    const day = Math.floor(ms / DAY_MS);
    if (day !== lastDay) {
      const iso = date.toISOString();
      if (fromIso(iso) !== iso) return fromIso(iso);
      lastDay = day;
      lastDayText = iso.slice(0, iso.indexOf("T") + 1);
    }
    const ofDay = minute - day * MINUTES_A_DAY;
    const hour = TWO_DIGITS[Math.floor(ofDay / 60)];
    lastMinute = minute;
    lastMinuteText = `${lastDayText}${hour}:${TWO_DIGITS[ofDay % 60]}:`;
  }
  // The first digit keeps the zeros behind it.
  const time = String(100_000 + ms - minute * MINUTE_MS);
  return `${lastMinuteText}${time.slice(1, 3)}.${time.slice(3)}Z`;
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
