import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pause } from "../../lib/model/schedule.ts";
import { pauseOf } from "../../lib/updater/pause.ts";

const CASES: [variables: Record<string, string>, automatic: boolean | undefined, Pause | null][] = [
  [{}, undefined, null],
  [{}, true, null],
  [{}, false, "opted-out"],
  [{ CI: "true" }, undefined, "in-ci"],
  [{ CI: "1" }, undefined, "in-ci"],
  [{ CI: "woodpecker" }, undefined, "in-ci"],
  [{ CI: "false" }, undefined, null],
  [{ CI: "0" }, undefined, null],
  [{ CI: "" }, undefined, null],
  [{ CI: "true" }, true, null],
  [{ CI: "true" }, false, "opted-out"],
  [{ TF_BUILD: "True" }, undefined, "in-ci"],
  [{ JENKINS_URL: "https://ci.example/" }, undefined, "in-ci"],
  [{ NO_UPDATE_NOTIFIER: "1" }, undefined, "opted-out"],
  [{ NO_UPDATE_NOTIFIER: "1" }, true, "opted-out"],
  [{ NO_UPDATE_NOTIFIER: "" }, undefined, null],
  [{ TRANSMUTE_NO_UPDATE: "1" }, true, "opted-out"],
  [{ TRANSMUTE_NO_UPDATE: "" }, undefined, null],
  [{ TRANSMUTE_NO_UPDATE: "0", CI: "true" }, undefined, null],
  [{ TRANSMUTE_NO_UPDATE: "0", NO_UPDATE_NOTIFIER: "1" }, undefined, null],
  [{ TRANSMUTE_NO_UPDATE: "false" }, false, null],
];

for (const [variables, automatic, pause] of CASES) {
  test(`pauseOf() says ${pause} of ${JSON.stringify(variables)} and automatic ${automatic}`, () => {
    const options = automatic === undefined ? {} : { automatic };
    assert.equal(pauseOf(options, (name) => variables[name]), pause);
  });
}
