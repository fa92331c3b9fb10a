import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInterval } from "../../lib/model/interval.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

const INTERVALS: [written: unknown, ms: number | null][] = [
  [0, 0],
  [1500, 1500],
  ["1500", 1500],
  ["0", 0],
  ["hourly", HOUR],
  ["daily", DAY],
  ["Daily", DAY],
  ["weekly", 7 * DAY],
  ["monthly", 30 * DAY],
  ["250ms", 250],
  ["90s", 90 * SECOND],
  ["30m", HOUR / 2],
  ["12h", 12 * HOUR],
  ["1.5h", 1.5 * HOUR],
  [" 2 d ", 2 * DAY],
  ["2w", 14 * DAY],
  ["", null],
  ["sometimes", null],
  ["h", null],
  ["-1h", null],
  ["1h30m", null],
  ["1y", null],
  ["1e3", null],
  [-1, null],
  [NaN, null],
  [Infinity, null],
  [null, null],
  [{}, null],
];

for (const [written, ms] of INTERVALS) {
  test(`parseInterval() reads ${JSON.stringify(written) ?? written} as ${ms}`, () => {
    assert.equal(parseInterval(written), ms);
  });
}
