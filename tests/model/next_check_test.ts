import assert from "node:assert/strict";
import { test } from "node:test";
import { FIRST_REST_MS, nextCheckAt, SHORTEST_REST_MS } from "../../lib/model/next_check.ts";

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2030, 0, 1);

/** The pause that is drawn, in milliseconds. */
function pause(checkEveryMs: number, failures: number, random: number, retryAfterMs?: number) {
  const outcome = {
    checkEveryMs,
    failures,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  return nextCheckAt(NOW, outcome, random) - NOW;
}

test("nextCheckAt() draws a pause between half and one and a half of the interval", () => {
  assert.equal(pause(DAY, 0, 0), 0.5 * DAY);
  assert.equal(pause(DAY, 0, 0.5), DAY);
  assert.equal(pause(DAY, 0, 0.999999), Math.round(1.499999 * DAY));
  assert.equal(pause(0, 0, 0.5), 0, "every start may ask");
});

test("nextCheckAt() doubles the rest with each failure, up to the interval", () => {
  const hours = Array.from({ length: 9 }, (_, index) => pause(DAY, index + 1, 0.5) / HOUR);
  assert.deepEqual(hours, [0.25, 0.5, 1, 2, 4, 8, 16, 24, 24]);
});

test("nextCheckAt() spreads the rests too", () => {
  assert.equal(pause(DAY, 1, 0), 0.5 * FIRST_REST_MS);
  assert.equal(pause(DAY, 1, 0.75), 1.25 * FIRST_REST_MS);
});

test("nextCheckAt() begins with less where the interval is short, and grows to an hour", () => {
  const minutes = Array.from({ length: 8 }, (_, index) => pause(0, index + 1, 0.5) / 60_000);
  assert.deepEqual(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
  assert.equal(pause(SHORTEST_REST_MS * 3, 1, 0.5), SHORTEST_REST_MS * 3);
});

test("nextCheckAt() never comes back sooner than the source wished, nor all at once", () => {
  assert.equal(pause(DAY, 1, 0, 3 * HOUR), 3 * HOUR);
  assert.equal(pause(DAY, 1, 0.5, 3 * HOUR), 3.75 * HOUR);
  assert.equal(pause(DAY, 7, 0.5, 1000), 16 * HOUR, "a short wish shortens no rest");
});

test("nextCheckAt() does not obey a wish of more than a day", () => {
  assert.equal(pause(DAY, 1, 0, 365 * DAY), DAY);
  assert.equal(pause(DAY, 1, 0.999999, 365 * DAY), Math.round(1.4999995 * DAY));
});

test("nextCheckAt() gives whole milliseconds after any number of failures", () => {
  for (const failures of [0, 1, 50, 5000]) {
    const at = nextCheckAt(NOW, { checkEveryMs: 12345, failures }, 1 / 3);
    assert.ok(Number.isSafeInteger(at), `${failures}: ${at}`);
  }
});
