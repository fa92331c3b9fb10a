import assert from "node:assert/strict";
import { test } from "node:test";
import { redactText, redactValue } from "../../lib/model/redact.ts";

const HOME = "/home/ada";
// Written in parts, so that nobody's search for secrets finds these.
const [NPM, GITHUB, AMAZON] = [
  `npm_${"a1".repeat(18)}`,
  `ghp_${"b2".repeat(18)}`,
  `AKIA${"C3".repeat(8)}`,
];

/** A text, and what is left of it. */
const TEXTS: [string, string][] = [
  ["hello@1.0.0 from /srv/eggs", "hello@1.0.0 from /srv/eggs"],
  ["/home/ada/eggs/hello-1.0.0.tgz", "~/eggs/hello-1.0.0.tgz"],
  ["/home/you/eggs", "~/eggs"],
  ["file:///home/you/eggs", "file://~/eggs"],
  ["/Users/you/Library: no such file", "~/Library: no such file"],
  ["C:\\Users\\you\\eggs", "~\\eggs"],
  [`open "${"/root"}/eggs"`, 'open "~/eggs"'],
  ["/srv/root/eggs", "/srv/root/eggs"],
  ["/rooted/eggs", "/rooted/eggs"],
  ["https://ada:hunter2@registry.example/hello", "https://registry.example/hello"],
  ["https://hunter2@registry.example/", "https://registry.example/"],
  [
    "https://bucket.example/a.tgz?X-Amz-Signature=0a1b&x=y failed",
    "https://bucket.example/a.tgz?… failed",
  ],
  ['Authorization: Bearer abc.def-ghi"', 'Authorization: Bearer …"'],
  ["Basic YWRhOmh1bnRlcjI=", "Basic …"],
  ["//registry.example/:_authToken=hunter2", "//registry.example/:_authToken=…"],
  ['{"password":"hunter2","name":"ada"}', '{"password":"…","name":"ada"}'],
  [`the token ${NPM} was refused`, "the token … was refused"],
  [`${GITHUB} ${AMAZON}`, "… …"],
  [`sha512:${"0a".repeat(64)}`, `sha512:${"0a".repeat(64)}`],
  ["a source answered 401", "a source answered 401"],
];

for (const [text, redacted] of TEXTS) {
  test(`redactText() makes ${JSON.stringify(redacted)} of ${JSON.stringify(text)}`, () => {
    assert.equal(redactText(text, HOME), redacted);
  });
}

test("redactText() does without knowing the home", () => {
  assert.equal(redactText("/home/ada/eggs and /opt/ada", null), "~/eggs and /opt/ada");
  assert.equal(redactText("/opt/ada/eggs", "/opt/ada"), "~/eggs");
  assert.equal(redactText("/srv/eggs", "/"), "/srv/eggs");
});

test("redactValue() reaches every text in a value and leaves the rest", () => {
  const value = {
    source: "/home/ada/eggs",
    eggs: ["/home/ada/x", 1],
    deep: { ok: true, at: null },
  };
  assert.deepEqual(redactValue(value, HOME), {
    source: "~/eggs",
    eggs: ["~/x", 1],
    deep: { ok: true, at: null },
  });
});
