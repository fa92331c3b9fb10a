import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScheduleQuestion } from "../../lib/model/schedule.ts";
import { CLOCK_TOLERANCE_MS, isCheckDue, LONGEST_REST_MS } from "../../lib/model/schedule.ts";
import { STATE_FORMAT } from "../../lib/model/state.ts";

const DAY = 24 * 60 * 60 * 1000;
const NOW = Date.UTC(2030, 0, 1);
const LINUX = { os: "linux", cpu: "x64", libc: "glibc" };

/** An application that runs on a generation, with one folder and one registry, both asked. */
function idle(): ScheduleQuestion {
  return {
    now: NOW,
    platform: LINUX,
    requirements: ["hello@*"],
    checkEveryMs: DAY,
    force: false,
    offline: false,
    sources: [
      { id: "/dist", kind: "local", fingerprint: "as it was" },
      { id: "npm:", kind: "network" },
    ],
    state: {
      format: STATE_FORMAT,
      refused: [],
      active: {
        format: STATE_FORMAT,
        generation: 1,
        parent: null,
        createdAt: "2029-12-31T00:00:00.000Z",
        platform: LINUX,
        requirements: ["hello@*"],
        eggs: {},
      },
      checks: {
        "/dist": { checkedAt: NOW - 1000, nextAt: NOW + DAY, fingerprint: "as it was" },
        "npm:": { checkedAt: NOW - 1000, nextAt: NOW + DAY },
      },
    },
  };
}

test("isCheckDue() answers not-due when nothing changed and no time has come", () => {
  assert.deepEqual(isCheckDue(idle()), { due: false, reason: "not-due", usable: true });
});

test("isCheckDue() asks a folder as soon as it looks different", () => {
  const question = idle();
  question.sources[0].fingerprint = "otherwise";
  assert.deepEqual(isCheckDue(question), { due: true, sources: ["/dist"], usable: true });
});

test("isCheckDue() asks all that need not rest when Python looks different", () => {
  const question = { ...idle(), interpreter: "as it was" };
  question.state.interpreter = "as it was";
  assert.equal(isCheckDue(question).due, false);
  question.interpreter = "otherwise";
  const sources = ["/dist", "npm:"];
  assert.deepEqual(isCheckDue(question), { due: true, sources, usable: true });
  question.state.checks["npm:"].failures = 1;
  assert.deepEqual(isCheckDue(question), { due: true, sources: ["/dist"], usable: true });
  assert.equal(isCheckDue({ ...question, interpreter: null }).due, false, "no Python eggs");
});

test("isCheckDue() notices that a folder is gone, once", () => {
  const question = idle();
  question.sources[0].fingerprint = null;
  assert.equal(isCheckDue(question).due, true);
  question.state.checks["/dist"].fingerprint = null;
  assert.equal(isCheckDue(question).due, false);
});

test("isCheckDue() asks a network source when its time has come, and only that one", () => {
  const question = idle();
  question.now = question.state.checks["npm:"].nextAt;
  assert.deepEqual(isCheckDue(question), { due: true, sources: ["npm:"], usable: true });
});

test("isCheckDue() asks a network source when the clock was set back before its last check", () => {
  const question = idle();
  question.now = question.state.checks["npm:"].checkedAt - CLOCK_TOLERANCE_MS;
  assert.deepEqual(isCheckDue(question), { due: true, sources: ["npm:"], usable: true });
});

test("isCheckDue() bears with the clock of another machine that shares the store", () => {
  const question = idle();
  question.now = question.state.checks["npm:"].checkedAt - CLOCK_TOLERANCE_MS + 1;
  assert.equal(isCheckDue(question).due, false);
});

test("isCheckDue() is not held back by times that a wrong clock recorded", () => {
  const question = idle();
  const check = question.state.checks["npm:"];
  check.checkedAt = Date.UTC(2099, 0, 1);
  check.nextAt = check.checkedAt + DAY;
  assert.equal(isCheckDue(question).due, true, "it was far ahead");
  check.checkedAt = NOW;
  assert.equal(isCheckDue(question).due, false);
  question.now = NOW + 1.5 * DAY;
  assert.equal(isCheckDue(question).due, true, "the pause was too long for any interval");
});

for (const nextAt of [NaN, null, undefined]) {
  test(`isCheckDue() asks a source whose next check is recorded as ${nextAt}`, () => {
    const question = idle();
    question.state.checks["npm:"].nextAt = nextAt as unknown as number;
    assert.equal(isCheckDue(question).due, true);
  });
}

test("isCheckDue() counts an interval that was shortened from the last check", () => {
  const question = { ...idle(), checkEveryMs: 1000 };
  question.state.checks["npm:"].checkedAt = NOW - 1499;
  assert.equal(isCheckDue(question).due, false);
  question.state.checks["npm:"].checkedAt = NOW - 1500;
  assert.equal(isCheckDue(question).due, true);
});

test("isCheckDue() goes by a source's own interval where it has one", () => {
  const question = idle();
  question.sources[1].checkEveryMs = 600;
  assert.equal(isCheckDue(question).due, true);
  question.sources[1].checkEveryMs = 7 * DAY;
  question.checkEveryMs = 600;
  assert.equal(isCheckDue(question).due, false);
});

test("isCheckDue() lets a source rest that failed, however short its interval", () => {
  const question = { ...idle(), checkEveryMs: 0 };
  const check = question.state.checks["npm:"];
  Object.assign(check, { failures: 3, nextAt: NOW + 60 * 60 * 1000 });
  assert.equal(isCheckDue(question).due, false);
  assert.equal(isCheckDue({ ...question, now: check.nextAt }).due, true);
  check.nextAt = NOW + 30 * DAY;
  const longest = check.checkedAt + 1.5 * LONGEST_REST_MS;
  assert.equal(isCheckDue({ ...question, now: longest - 1 }).due, false);
  assert.equal(isCheckDue({ ...question, now: longest }).due, true, "no rest is for ever");
});

test("isCheckDue() asks a folder again that failed, when it has rested or looks different", () => {
  const question = idle();
  const check = question.state.checks["/dist"];
  Object.assign(check, { failures: 1, nextAt: NOW + 60_000 });
  assert.equal(isCheckDue(question).due, false);
  assert.equal(isCheckDue({ ...question, now: NOW + 60_000 }).due, true);
  question.sources[0].fingerprint = "mended";
  assert.deepEqual(isCheckDue(question), { due: true, sources: ["/dist"], usable: true });
});

test("isCheckDue() asks a source that was never asked", () => {
  const question = idle();
  question.sources.push({ id: "npm+https://other/", kind: "network" });
  assert.deepEqual(isCheckDue(question), {
    due: true,
    sources: ["npm+https://other/"],
    usable: true,
  });
});

test("isCheckDue() asks all sources when forced", () => {
  assert.deepEqual(isCheckDue({ ...idle(), force: true }), {
    due: true,
    sources: ["/dist", "npm:"],
    usable: true,
  });
});

test("isCheckDue() asks no network source offline, and says so", () => {
  const question = { ...idle(), offline: true, now: NOW + 30 * DAY };
  assert.deepEqual(isCheckDue(question), { due: false, reason: "offline", usable: true });
  assert.deepEqual(isCheckDue({ ...question, force: true }), {
    due: true,
    sources: ["/dist"],
    usable: true,
  });
});

test("isCheckDue() looks at nothing for who opted out, but what is wished or missing", () => {
  const question = { ...idle(), pause: "opted-out" as const, now: NOW + 30 * DAY };
  question.sources[0].fingerprint = "otherwise";
  assert.deepEqual(isCheckDue(question), { due: false, reason: "opted-out", usable: true });
  assert.equal(isCheckDue({ ...question, force: true }).due, true);
  question.state.active = null;
  assert.deepEqual(isCheckDue(question), {
    due: true,
    sources: ["/dist", "npm:"],
    usable: false,
  });
});

test("isCheckDue() asks no network in CI, but looks at folders", () => {
  const question = { ...idle(), pause: "in-ci" as const, now: NOW + 30 * DAY };
  assert.deepEqual(isCheckDue(question), { due: false, reason: "in-ci", usable: true });
  assert.deepEqual(isCheckDue({ ...question, force: true }).due, true);
  question.sources[0].fingerprint = "otherwise";
  assert.deepEqual(isCheckDue(question), { due: true, sources: ["/dist"], usable: true });
});

const UNUSABLE: [why: string, change: (question: ScheduleQuestion) => void][] = [
  ["nothing is active", (question) => question.state.active = null],
  ["a new requirement is not met", (question) => question.requirements.push("world@*")],
  ["it is another kind of machine", (question) => question.platform = { os: "darwin", cpu: "x64" }],
  ["it is another libc", (question) => question.platform = { ...LINUX, libc: "musl" }],
];

for (const [why, change] of UNUSABLE) {
  test(`isCheckDue() asks everything when ${why}`, () => {
    const question = idle();
    change(question);
    assert.deepEqual(isCheckDue(question), {
      due: true,
      sources: ["/dist", "npm:"],
      usable: false,
    });
  });
}
