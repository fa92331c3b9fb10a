/**
 * What a source has to bear: a fleet that was installed within ten minutes and checks daily, over
 * some days, through an outage of six hours. By the very functions that programs decide with, and
 * by what others do in their place.
 *
 * `deno run scripts/simulate_fleet.ts [--clients 1000000]` prints a table in Markdown.
 */

import { nextCheckAt } from "../lib/model/next_check.ts";
import type { ScheduleQuestion } from "../lib/model/schedule.ts";
import { isCheckDue } from "../lib/model/schedule.ts";
import { STATE_FORMAT } from "../lib/model/state.ts";
import { markdownTable } from "./interleaved_runs.ts";

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const CLIENTS = 1_000_000;
const INSTALLED_WITHIN_MS = 10 * MINUTE;
/** Each program is started so often on average, at random times. */
const STARTED_EVERY_MS = 10 * MINUTE;
const LASTS_MS = 6 * DAY;
/** It begins an hour before those come who come at the same time every day. */
const OUTAGE = { from: 4 * DAY - HOUR, to: 4 * DAY + 5 * HOUR };
/** Requests are counted in slices of this length. */
const SLICE_MS = 10 * 1000;

/** When a client is to ask again: what it has of the clock, of luck, and of its last question. */
type Rule = (now: number, failures: number, random: () => number) => number;

const RULES: [name: string, rule: Rule][] = [
  // What does not record a failure asks again at the next start.
  ["every day; failures forgotten", (now, failures) => failures === 0 ? now + DAY : now],
  [
    "every day; 15 minutes after a failure",
    (now, failures) => now + (failures === 0 ? DAY : 15 * MINUTE),
  ],
  [
    "Transmute",
    (now, failures, random) => nextCheckAt(now, { checkEveryMs: DAY, failures }, random()),
  ],
  [
    "Transmute, told to come back in an hour",
    (now, failures, random) =>
      nextCheckAt(
        now,
        { checkEveryMs: DAY, failures, ...(failures === 0 ? {} : { retryAfterMs: HOUR }) },
        random(),
      ),
  ],
];

/** The same numbers on every run. */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Requests in each slice of time. */
function simulate(clients: number, rule: Rule): Uint32Array {
  const requests = new Uint32Array(Math.ceil(LASTS_MS / SLICE_MS));
  const random = seeded(1);
  const pause = () => -Math.log(1 - random()) * STARTED_EVERY_MS;
  const check = { checkedAt: 0, nextAt: 0, failures: 0 };
  const question: ScheduleQuestion = {
    now: 0,
    platform: { os: "linux", cpu: "x64" },
    requirements: [],
    checkEveryMs: DAY,
    force: false,
    offline: false,
    sources: [{ id: "source", kind: "network" }],
    state: {
      format: STATE_FORMAT,
      refused: [],
      checks: { source: check },
      active: {
        format: STATE_FORMAT,
        generation: 1,
        parent: null,
        createdAt: "",
        platform: { os: "linux", cpu: "x64" },
        requirements: [],
        eggs: {},
      },
    },
  };
  for (let client = 0; client < clients; client++) {
    let now = random() * INSTALLED_WITHIN_MS;
    let failures = 0;
    while (now < LASTS_MS) {
      requests[Math.floor(now / SLICE_MS)]++;
      failures = now >= OUTAGE.from && now < OUTAGE.to ? failures + 1 : 0;
      const nextAt = rule(now, failures, random);
      Object.assign(check, { checkedAt: now, nextAt, failures: failures || undefined });
      // The first start from then on; it is random when that is, so it does not matter since when.
      now = Math.max(now, nextAt) + pause();
      question.now = now;
      if (!isCheckDue(question).due) throw new Error(`Not due at ${now}, wanted from ${nextAt}`);
    }
  }
  return requests;
}

/** The most and the mean requests per second between two times. */
function rates(requests: Uint32Array, from: number, to: number): { most: number; mean: number } {
  const slices = requests.subarray(Math.floor(from / SLICE_MS), Math.floor(to / SLICE_MS));
  const perSecond = (count: number) => count / (SLICE_MS / 1000);
  return {
    most: perSecond(slices.reduce((one, other) => Math.max(one, other), 0)),
    mean: perSecond(slices.reduce((one, other) => one + other, 0) / slices.length),
  };
}

function argument(args: string[]): number {
  const at = args.indexOf("--clients");
  return at === -1 ? CLIENTS : Number(args[at + 1]);
}

const clients = argument(Deno.args);
const rows = RULES.map(([name, rule]) => {
  const requests = simulate(clients, rule);
  const text = ({ most, mean }: { most: number; mean: number }) =>
    `${most.toFixed(0)} (${mean.toFixed(1)})`;
  return [
    name,
    text(rates(requests, DAY - HOUR, 2 * DAY - HOUR)),
    text(rates(requests, 3 * DAY - HOUR, OUTAGE.from)),
    text(rates(requests, OUTAGE.from, OUTAGE.to)),
    text(rates(requests, OUTAGE.to, OUTAGE.to + HOUR)),
    text(rates(requests, OUTAGE.to + HOUR, LASTS_MS)),
  ];
});
console.log(
  `${clients} clients, installed within ten minutes, started every ten minutes on average. ` +
    `Requests per second, the most in ten seconds (mean). An even load is ${
      (clients / (DAY / 1000)).toFixed(1)
    }.\n`,
);
console.log(markdownTable(
  ["rule", "second day", "third day", "outage, 6 h", "the hour after", "until the sixth day"],
  rows,
));
