import assert from "node:assert/strict";
import { test } from "node:test";
import {
  counted,
  duration,
  fileSize,
  listed,
  moment,
  notTaken,
  relativeTime,
  requirementText,
  table,
} from "../../lib/cli/wording.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

test("duration() tells the largest whole unit", () => {
  const cases: [ms: number, text: string][] = [
    [0, "0 seconds"],
    [-5, "0 seconds"],
    [1999, "1 second"],
    [59 * SECOND, "59 seconds"],
    [MINUTE, "1 minute"],
    [119 * MINUTE, "1 hour"],
    [47 * HOUR, "1 day"],
    [400 * 24 * HOUR, "400 days"],
  ];
  for (const [ms, text] of cases) assert.equal(duration(ms), text);
});

test("relativeTime() tells what was from what is to come", () => {
  assert.equal(relativeTime(0, 2 * HOUR), "2 hours ago");
  assert.equal(relativeTime(2 * HOUR, 0), "in 2 hours");
});

test("moment() is a time of day in UTC", () => {
  assert.equal(moment("2030-01-02T03:04:05.678Z"), "2030-01-02 03:04:05");
});

test("counted() has a plural", () => {
  assert.deepEqual(
    [counted(1, "egg"), counted(2, "egg"), counted(0, "dependency", "dependencies")],
    ["1 egg", "2 eggs", "0 dependencies"],
  );
});

test("listed() joins words as a sentence does", () => {
  assert.deepEqual(
    [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")],
    ["", "a", "a and b", "a, b or c"],
  );
});

test("fileSize() tells three digits or fewer", () => {
  const cases: [bytes: number, text: string][] = [
    [0, "0 bytes"],
    [999, "999 bytes"],
    [1500, "1.5 kB"],
    [123_456, "123 kB"],
    [4_200_000_000, "4.2 GB"],
    [5e15, "5000 TB"],
  ];
  for (const [bytes, text] of cases) assert.equal(fileSize(bytes), text);
});

test("notTaken() makes a sentence of every reason that a release is passed over for", () => {
  const cases: [reason: string, sentence: string][] = [
    ["does not satisfy ^1", "it does not satisfy ^1"],
    ["is a pre-release", "it is a pre-release"],
    ["is not tagged next", "it is not tagged next"],
    ["needs node >=30", "it needs node >=30"],
    ["for darwin only", "it is for darwin only"],
    ["deprecated: use 3", "it is deprecated: use 3"],
    ["refused: Cannot unpack", "it was refused: Cannot unpack"],
    ["1.0.0 is tagged latest", "1.0.0 is tagged latest"],
  ];
  for (const [reason, sentence] of cases) {
    const text = `2.0.0 is offered and not taken: ${sentence}`;
    assert.equal(notTaken({ version: "2.0.0", reason }), text);
  }
});

test("requirementText() is what an author would write", () => {
  assert.equal(requirementText("npm:@scope/name@*"), "npm:@scope/name");
  assert.equal(requirementText("hello@^1"), "hello@^1");
});

test("table() aligns columns by what is seen, colours aside", () => {
  const rows = [["a", "\u001b[1mbold\u001b[0m", "x"], ["long", "b", ""]];
  assert.deepEqual(table(rows, "  "), [
    "  a     \u001b[1mbold\u001b[0m  x",
    "  long  b",
  ]);
});
