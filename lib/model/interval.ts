/**
 * Lengths of time as people write them: `"daily"`, `"12h"`. On the path of every start that is
 * given one, so without a library.
 *
 * @module
 */

/** Milliseconds, a word (`"hourly"`, `"daily"`, `"weekly"`, `"monthly"`), or such as `"12h"`. */
export type Interval = number | string;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const WORDS = new Map([
  ["hourly", HOUR],
  ["daily", DAY],
  ["weekly", 7 * DAY],
  ["monthly", 30 * DAY],
]);

const UNITS = new Map([
  ["", 1],
  ["ms", 1],
  ["s", SECOND],
  ["m", MINUTE],
  ["h", HOUR],
  ["d", DAY],
  ["w", 7 * DAY],
]);

/** What an interval may look like, for messages. */
export const INTERVAL_FORMS =
  'milliseconds, "hourly", "daily", "weekly", "monthly", or a number and a unit such as "12h"';

/** The milliseconds of an interval; `null` for what is none. */
export function parseInterval(interval: unknown): number | null {
  if (typeof interval === "number") {
    return Number.isFinite(interval) && interval >= 0 ? interval : null;
  }
  if (typeof interval !== "string") return null;
  const text = interval.trim().toLowerCase();
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text) ?? [];
  const unitMs = unit === undefined ? undefined : UNITS.get(unit);
  return unitMs === undefined ? null : Number(digits) * unitMs;
}
