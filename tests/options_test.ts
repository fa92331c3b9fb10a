import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { TransmuteOptions } from "../lib/options.ts";
import { resolveOptions, START_VARIABLES } from "../lib/options.ts";
import { refusal } from "./fixtures/refusal.ts";

/** Resolves options under these variables of the environment and no others of Transmute's. */
function resolved(options: TransmuteOptions, variables: Record<string, string> = {}) {
  const names = [...START_VARIABLES, "XDG_DATA_HOME", "HOME"];
  const before = names.map((name) => [name, process.env[name]] as const);
  for (const name of START_VARIABLES) delete process.env[name];
  Object.assign(process.env, variables);
  try {
    return resolveOptions({ app: "app", ...options });
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

test("resolveOptions() fills in every default", () => {
  const { now, fetch, random, ...values } = resolved({ cacheDir: "/store" });
  assert.deepEqual([now, fetch, random], [Date.now, globalThis.fetch, Math.random]);
  assert.deepEqual(values, {
    app: "app",
    cacheDir: "/store",
    trust: {},
    channel: "stable",
    strategy: "first",
    log: "error",
    offline: false,
    checkEveryMs: 86_400_000,
    budgetMs: 1500,
    background: "process",
    backgroundLifeMs: 600_000,
    maxDownloadBytes: 268_435_456,
    maxUnpackedBytes: 1_073_741_824,
    probationStarts: 3,
    confirm: "auto",
    confirmAfterMs: 60_000,
    fallback: "next-start",
    keepGenerations: 3,
    hookTimeoutMs: 30_000,
    trial: null,
  });
});

/** A variable, its text, the option it overrides, and that option's value then. */
const VARIABLES: [name: string, text: string, option: keyof TransmuteOptions, value: unknown][] = [
  ["TRANSMUTE_CACHE_DIR", "/elsewhere", "cacheDir", "/elsewhere"],
  ["TRANSMUTE_CHECK_EVERY_MS", "60000", "checkEveryMs", 60_000],
  ["TRANSMUTE_CHECK_EVERY_MS", "weekly", "checkEveryMs", 604_800_000],
  ["TRANSMUTE_CHECK_EVERY_MS", "12h", "checkEveryMs", 43_200_000],
  ["TRANSMUTE_BUDGET_MS", "0", "budgetMs", 0],
  ["TRANSMUTE_BACKGROUND", "off", "background", "off"],
  ["TRANSMUTE_OFFLINE", "1", "offline", true],
  ["TRANSMUTE_OFFLINE", "yes", "offline", true],
  ["TRANSMUTE_OFFLINE", "0", "offline", false],
  ["TRANSMUTE_LOG", "debug", "log", "debug"],
];

for (const [name, text, option, value] of VARIABLES) {
  test(`resolveOptions() lets ${name}=${text} override the option ${option}`, () => {
    const given: TransmuteOptions = {
      ...{ cacheDir: "/given", checkEveryMs: 5, budgetMs: 5, log: "off" },
      offline: value !== true,
    };
    assert.equal(resolved(given, { [name]: text })[option as "app"], value);
    assert.notEqual(resolved(given)[option as "app"], value);
  });
}

test("resolveOptions() takes an empty variable for none", () => {
  const empty = Object.fromEntries(START_VARIABLES.map((name) => [name, ""]));
  const { cacheDir, checkEveryMs, offline, log } = resolved({ cacheDir: "/store" }, empty);
  assert.deepEqual([cacheDir, checkEveryMs, offline, log], ["/store", 86_400_000, false, "error"]);
});

test("resolveOptions() puts the store into the user's data folder", {
  skip: process.platform === "linux" ? false : "the folder is another on other systems",
}, () => {
  const data = resolved({}, { HOME: "/home/ada", XDG_DATA_HOME: "/data" });
  assert.equal(data.cacheDir, "/data/transmute");
  const home = resolved({}, { HOME: "/home/ada", XDG_DATA_HOME: "" });
  assert.equal(home.cacheDir, "/home/ada/.local/share/transmute");
  const relative = resolved({}, { HOME: "/home/ada", XDG_DATA_HOME: "data" });
  assert.equal(relative.cacheDir, "/home/ada/.local/share/transmute");
});

test("resolveOptions() makes cacheDir absolute", () => {
  assert.equal(resolved({ cacheDir: "a/../b" }).cacheDir, `${process.cwd()}/b`);
});

test("resolveOptions() names the application after its main module", () => {
  const { app } = resolved({ app: undefined, cacheDir: "/store" });
  assert.match(app, /^[\w.-]+-[0-9a-f]{8}$/);
});

/** Options that cannot be meant, and what the message ends in. */
const MISTAKES: [options: Record<string, unknown>, message: string][] = [
  [{ app: "../other" }, `option app: found "../other", wanted a word of letters`],
  [{ app: "a".repeat(101) }, "wanted a word of letters, digits, '.', '_' and '-'"],
  [{ channel: "Beta!" }, 'option channel: found "Beta!", wanted a word of lower-case letters'],
  [{ strategy: "newest" }, `option strategy: found "newest", wanted "first" or "best"`],
  [
    { log: "loud" },
    `option log: found "loud", wanted "debug", "info", "warn", "error", "json" or "off"`,
  ],
  [{ confirm: "never" }, `option confirm: found "never", wanted "auto" or "manual"`],
  [{ fallback: "later" }, `option fallback: found "later", wanted "next-start" or "same-start"`],
  [{ probationStarts: -1 }, `option probationStarts: found -1, wanted a number of 0 or more`],
  [{ keepGenerations: NaN }, `option keepGenerations: found null, wanted a number of 0 or more`],
  [{ checkEveryMs: -1 }, "option checkEveryMs: found -1, wanted"],
  [{ checkEveryMs: "often" }, `option checkEveryMs: found "often", wanted milliseconds, "hourly"`],
  [{ background: "later" }, `found "later", wanted "process", "in-process" or "off"`],
  [{ background: true }, `option background: found true, wanted "process", "in-process" or "off"`],
  [{ budgetMs: NaN }, "option budgetMs: found null, wanted a number of 0 or more"],
  [{ maxDownloadBytes: "1" }, `option maxDownloadBytes: found "1", wanted a number of 0 or more`],
];

for (const [options, message] of MISTAKES) {
  test(`resolveOptions() refuses ${JSON.stringify(options).slice(0, 40)}`, () => {
    assert.throws(
      () => resolved({ cacheDir: "/store", ...options }),
      refusal("option-invalid", message),
    );
  });
}

test("resolveOptions() refuses a variable that is no number", () => {
  assert.throws(
    () => resolved({}, { TRANSMUTE_BUDGET_MS: "soon" }),
    refusal("option-invalid", "TRANSMUTE_BUDGET_MS"),
  );
});

test("resolveOptions() knows a process that is there to finish an update", () => {
  const work = JSON.stringify({ app: "app", lifeMs: 1 });
  const told = resolved({ background: "in-process", log: "debug" }, { TRANSMUTE_BACKGROUND: work });
  assert.deepEqual([told.background, told.log, told.backgroundWork], ["off", "off", work]);
  const thread = resolved(
    { background: work as "off" },
    { TRANSMUTE_BACKGROUND: "in-process", TRANSMUTE_LOG: "debug" },
  );
  assert.deepEqual([thread.background, thread.log, thread.backgroundWork], ["off", "off", work]);
  assert.equal(resolved({}).backgroundWork, undefined);
});
