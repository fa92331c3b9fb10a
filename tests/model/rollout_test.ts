import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rollout } from "../../lib/model/rollout.ts";
import { cohortOf, rolloutShare } from "../../lib/model/rollout.ts";

const START = Date.UTC(2030, 0, 1);
const HOUR = 60 * 60 * 1000;
const rollout = (more: Partial<Rollout> = {}): Rollout => ({
  percent: 10,
  startsAt: "2030-01-01T00:00:00Z",
  ...more,
});
const growing = rollout({ fullAt: "2030-01-01T10:00:00Z" });

const SHARES: [what: string, rollout: Rollout, hours: number, share: number][] = [
  ["nothing before its start", rollout(), -1, 0],
  ["its percentage from its start", rollout(), 0, 0.1],
  ["its percentage for good, when it does not grow", rollout(), 1_000_000, 0.1],
  ["its percentage when it begins to grow", growing, 0, 0.1],
  ["half of the rest after half of the time", growing, 5, 0.55],
  ["everything at its end", growing, 10, 1],
  ["everything after its end", growing, 11, 1],
  ["nothing of 0 percent", rollout({ percent: 0 }), 1, 0],
];

for (const [what, given, hours, share] of SHARES) {
  test(`rolloutShare() gives ${what}`, () => {
    assert.equal(rolloutShare(given, START + hours * HOUR), share);
  });
}

test("cohortOf() is the same for one client and release, and another for others", async () => {
  assert.equal(await cohortOf("client", "hello@1.0.0"), await cohortOf("client", "hello@1.0.0"));
  assert.notEqual(await cohortOf("client", "hello@1.0.0"), await cohortOf("client", "hello@1.0.1"));
  assert.notEqual(await cohortOf("client", "hello@1.0.0"), await cohortOf("other", "hello@1.0.0"));
});

test("cohortOf() spreads clients evenly", async () => {
  const places = await Promise.all(
    Array.from({ length: 2000 }, (_, index) => cohortOf(String(index), "hello@1.0.0")),
  );
  for (let tenth = 0; tenth < 10; tenth++) {
    const count = places.filter((place) => Math.floor(place * 10) === tenth).length;
    assert.ok(count > 140 && count < 260, `${count} of 2000 in one tenth`);
  }
});
