import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseSignedTarget,
  pathsOfProject,
  roleOfProject,
  storedPath,
  targetPath,
} from "../../lib/model/signed_target.ts";
import { refusal } from "../fixtures/refusal.ts";

const SHA512 = "ab".repeat(64);
const SHA256 = "cd".repeat(32);
const PATH = "js/hello/hello-1.0.0.tgz";

const custom = (more: Record<string, unknown> = {}) => ({
  format: 1,
  ecosystem: "js",
  project: "hello",
  version: "1.0.0",
  ...more,
});
const target = (more: Record<string, unknown> = {}, customMore: Record<string, unknown> = {}) => ({
  length: 204,
  hashes: { sha512: SHA512 },
  custom: custom(customMore),
  ...more,
});

test("parseSignedTarget() reads a target", () => {
  const whole = {
    channel: "beta",
    publishedAt: "2030-01-01T00:00:00Z",
    platform: { os: ["linux"], cpu: ["!arm64"] },
    rollout: { percent: 10, startsAt: "2030-01-01T00:00:00Z", fullAt: "2030-01-04T00:00:00Z" },
    minimumVersion: "0.9.0",
    yanked: { reason: "It loses data", at: "2030-01-02T00:00:00Z" },
    unpacked: { sizeBytes: 4096, digest: `sha256:${SHA256}` },
    manifest: { name: "hello", version: "1.0.0", dependencies: { other: "^1" } },
    origin: "npm",
  };
  assert.deepEqual(parseSignedTarget(PATH, target({}, whole)), {
    path: PATH,
    sizeBytes: 204,
    digests: [`sha512:${SHA512}`],
    custom: custom(whole),
  });
});

test("parseSignedTarget() fills in the stable channel, and passes over what it does not know", () => {
  const parsed = parseSignedTarget(PATH, target({ note: 1 }, { note: 2 }));
  assert.deepEqual(parsed.custom, custom({ channel: "stable" }));
});

test("parseSignedTarget() puts the stronger digest first and ignores weak ones", () => {
  const hashes = { md5: "00", sha256: SHA256, sha512: SHA512 };
  const { digests } = parseSignedTarget(PATH, target({ hashes }));
  assert.deepEqual(digests, [`sha512:${SHA512}`, `sha256:${SHA256}`]);
});

const REFUSED: [what: string, path: string, target: unknown, found: string][] = [
  ["that is no object", PATH, "x", "wanted an object"],
  ["of no length", PATH, target({ length: undefined }), "the length"],
  ["of length 0", PATH, target({ length: 0 }), "the length 0"],
  ["of a negative length", PATH, target({ length: -1 }), "the length -1"],
  ["without digests", PATH, target({ hashes: {} }), "neither sha512 nor sha256"],
  ["with a weak digest alone", PATH, target({ hashes: { md5: "00" } }), "neither sha512"],
  ["with a short digest", PATH, target({ hashes: { sha512: "ab" } }), "the digest"],
  ["with an upper-case digest", PATH, target({ hashes: { sha256: "AB".repeat(32) } }), "digest"],
  ["without custom", PATH, target({ custom: undefined }), "no custom object"],
  ["of another format", PATH, target({}, { format: 2 }), "the format 2, wanted 1"],
  ["of another ecosystem", PATH, target({}, { ecosystem: "ruby" }), '"ruby"'],
  ["of a project that is none", PATH, target({}, { project: "../x" }), "the project"],
  ["of another project", PATH, target({}, { project: "other" }), "a file of other"],
  ["of another ecosystem's path", "python/hello/a.whl", target(), "wanted js/hello/"],
  ["of a version that is none", PATH, target({}, { version: "1 0" }), "the version"],
  ["in a folder below the project's", "js/hello/x/hello-1.0.0.tgz", target(), "wanted js/hello/"],
  ["that climbs out", "js/hello/..", target(), "wanted js/hello/"],
  ["that is hidden", "js/hello/.hello.tgz", target(), "wanted js/hello/"],
  ["with a name too long", `js/hello/${"a".repeat(127)}`, target(), "wanted js/hello/"],
  ["with a name of odd letters", "js/hello/a%2fb", target(), "wanted js/hello/"],
  ["on a channel that is none", PATH, target({}, { channel: "Beta!" }), "the channel"],
  ["published at no time", PATH, target({}, { publishedAt: "yesterday" }), "publishedAt"],
  ["published on no day", PATH, target({}, { publishedAt: "2030-13-01T00:00:00Z" }), "publishedAt"],
  ["for platforms in no list", PATH, target({}, { platform: { os: "linux" } }), "the platform"],
  [
    "rolled out to 101 percent",
    PATH,
    target({}, {
      rollout: { percent: 101, startsAt: "2030-01-01T00:00:00Z" },
    }),
    "101 percent",
  ],
  ["rolled out without a start", PATH, target({}, { rollout: { percent: 1 } }), "without times"],
  ["with no minimum version", PATH, target({}, { minimumVersion: 1 }), "minimumVersion"],
  ["yanked without a reason", PATH, target({}, { yanked: true }), "wanted a reason"],
  ["unpacked to nothing", PATH, target({}, { unpacked: {} }), "sizeBytes"],
  ["unpacked to md5", PATH, target({}, { unpacked: { sizeBytes: 1, digest: "md5:0" } }), "digest"],
  [
    "with the manifest of another",
    PATH,
    target({}, {
      manifest: { name: "hello", version: "2.0.0" },
    }),
    "not that of hello@1.0.0",
  ],
  [
    "with metadata of another version",
    PATH,
    target({}, {
      metadata: { name: "hello", version: "2.0", requires: [], extras: [] },
    }),
    "metadata that is not that of version 1.0.0",
  ],
  [
    "with metadata that asks for no texts",
    PATH,
    target({}, {
      metadata: { name: "hello", version: "1.0.0", requires: [1], extras: [] },
    }),
    "metadata that is not that of version 1.0.0",
  ],
  ["from nowhere known", PATH, target({}, { origin: "ftp" }), "the origin"],
];

for (const [what, path, value, found] of REFUSED) {
  test(`parseSignedTarget() refuses a target ${what}`, () => {
    assert.throws(() => parseSignedTarget(path, value), refusal("listing-invalid", found));
  });
}

test("roleOfProject() and pathsOfProject() name what a project is delegated to", () => {
  assert.equal(roleOfProject("js", "hello"), "js-hello");
  assert.equal(roleOfProject("js", "@scope/name"), "js-scope!name");
  assert.equal(roleOfProject("python", "six"), "python-six");
  assert.equal(pathsOfProject("js", "@scope/name"), "js/@scope/name/*");
  for (const name of ["../x", "a/b", "", "@a", "a!b", "node_modules", ".."]) {
    assert.throws(() => roleOfProject("js", name), refusal("listing-invalid"), name);
  }
});

test("targetPath() and storedPath() say where a target's bytes lie", () => {
  const path = targetPath("js", "@scope/name", "scope-name-1.0.0.tgz");
  assert.equal(path, "js/@scope/name/scope-name-1.0.0.tgz");
  assert.equal(storedPath(path, "sha512:abc"), "js/@scope/name/abc.scope-name-1.0.0.tgz");
  assert.throws(() => targetPath("js", "hello", "../x"), refusal("listing-invalid"));
});
