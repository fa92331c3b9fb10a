import { test } from "node:test";
import assert from "node:assert/strict";
import { isTransmuteError } from "../../lib/errors.ts";
import { isProjectName, parseDependency } from "../../lib/model/dependency.ts";

const ACCEPTED: [spec: string, project: string, range: string][] = [
  ["^1.2.3", "hello", "^1.2.3"],
  ["1.2.3", "hello", "1.2.3"],
  ["", "hello", "*"],
  ["  ", "hello", "*"],
  ["*", "hello", "*"],
  [" >=1 <2 || 3.x ", "hello", ">=1 <2 || 3.x"],
  ["1.0.0 - 2.9.9", "hello", "1.0.0 - 2.9.9"],
  ["~1.2", "hello", "~1.2"],
  ["~ 1.2", "hello", "~ 1.2"],
  ["latest", "hello", "latest"],
  ["next-11", "hello", "next-11"],
  ["v1.2.3", "hello", "v1.2.3"],
  ["npm:other@^1", "other", "^1"],
  ["npm:other", "other", "*"],
  ["npm:other@", "other", "*"],
  ["NPM:other@1 || 2", "other", "1 || 2"],
  ["npm:@scope/other@~2.1", "@scope/other", "~2.1"],
  ["npm:@scope/other", "@scope/other", "*"],
  ["npm:other@next", "other", "next"],
];

test("parseDependency() reads ranges, tags and aliases", () => {
  for (const [spec, project, range] of ACCEPTED) {
    assert.deepEqual(parseDependency("hello", spec), { project, range }, spec);
  }
});

const REFUSED: [spec: string, kind: RegExp][] = [
  ["git+https://example.test/a/b.git", /Git repository/],
  ["git+ssh://git@example.test/a/b.git#v1", /Git repository/],
  ["git://example.test/a/b.git", /Git repository/],
  ["git@example.test:a/b.git", /Git repository/],
  ["github:user/repo", /Git repository/],
  ["gitlab:user/repo", /Git repository/],
  ["bitbucket:user/repo", /Git repository/],
  ["gist:0123456789abcdef", /Git repository/],
  ["user/repo", /Git repository/],
  ["user/repo#semver:^1", /Git repository/],
  ["https://example.test/hello-1.0.0.tgz", /file at a URL/],
  ["http://example.test/hello-1.0.0.tgz", /file at a URL/],
  ["HTTPS://example.test/hello", /file at a URL/],
  ["file:../hello", /folder or file/],
  ["link:../hello", /folder or file/],
  ["../hello", /folder or file/],
  ["./hello", /folder or file/],
  ["~/hello", /folder or file/],
  ["/srv/hello", /folder or file/],
  ["C:\\hello", /folder or file/],
  ["..\\hello", /folder or file/],
  ["hello-1.0.0.tgz", /folder or file/],
  ["workspace:*", /workspace/],
  ["workspace:^1.2.3", /workspace/],
  ["catalog:", /workspace/],
  ["patch:hello@npm:1.0.0#a.patch", /workspace/],
  ["jsr:@std/path@1", /JSR/],
  ["unheard:of", /unknown kind/],
  ["npm:", /alias of no project/],
  ["npm:^1.0.0", /alias of no project/],
  ["npm:../../other@1", /alias of no project/],
  ["npm:other@npm:third@1", /alias of no version range/],
  ["npm:other@file:../x", /alias of no version range/],
  ["npm:other@user/repo", /alias of no version range/],
];

test("parseDependency() refuses what no registry can answer, saying what it is", () => {
  for (const [spec, kind] of REFUSED) {
    assert.throws(() => parseDependency("hello", spec), (error) => {
      assert.ok(isTransmuteError(error, "dependency-unsupported"), spec);
      assert.match(error.message, /^Cannot follow the dependency "hello": /);
      assert.match(error.message, kind);
      assert.ok(error.hint);
      return true;
    }, spec);
  }
});

test("parseDependency() keeps a repository's credentials out of its message", () => {
  assert.throws(
    () => parseDependency("hello", "git+https://user:secret@example.test/a.git"),
    (error: Error) => !error.message.includes("secret") && !error.message.includes("user"),
  );
});

test("parseDependency() refuses a value that is not text", () => {
  for (const spec of [undefined, null, 1, {}] as unknown as string[]) {
    assert.throws(
      () => parseDependency("hello", spec),
      (error) => isTransmuteError(error, "dependency-unsupported"),
    );
  }
});

const NAMES = ["hello", "JSONStream", "@types/node", "a", "_", "lodash.merge", "@a/b.c", "0"];
const NOT_NAMES = [
  "",
  ".",
  "..",
  "../a",
  "a/b",
  "@a",
  "@a/",
  "@/a",
  "@../a",
  "@a/..",
  "@a/b/c",
  ".bin",
  "node_modules",
  "a b",
  "a%2fb",
  "a\\b",
  "a?b",
  "a#b",
  "a:b",
  "ä",
  "a".repeat(215),
];

test("isProjectName() admits what can be a folder of node_modules", () => {
  for (const name of NAMES) assert.ok(isProjectName(name), name);
  for (const name of NOT_NAMES) assert.ok(!isProjectName(name), name);
});

test("parseDependency() refuses a name that would leave node_modules", () => {
  for (const name of NOT_NAMES) {
    assert.throws(
      () => parseDependency(name, "npm:hello@1"),
      (error) => isTransmuteError(error, "dependency-unsupported"),
      name,
    );
  }
});
