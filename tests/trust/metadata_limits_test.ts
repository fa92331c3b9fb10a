import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkMetadata,
  MAX_METADATA_BYTES,
  MetadataRefused,
} from "../../lib/trust/metadata_limits.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const metadata = (signed: Record<string, unknown>) => ({
  signatures: [],
  signed: { version: 1, expires: "2030-01-31T00:00:00Z", ...signed },
});
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [i, {}]));

/** Built as text: what could be built as a value would do no harm. */
const deep = (open: string, close: string, depth: number) =>
  new TextEncoder().encode(
    `{"signatures":[],"signed":{"version":1,"expires":"2030-01-31T00:00:00Z","x":${
      open.repeat(depth)
    }1${close.repeat(depth)}}}`,
  );

const REFUSED: [what: string, role: string, bytes: Uint8Array, found: RegExp][] = [
  [
    "larger than a root may be",
    "root",
    new Uint8Array(MAX_METADATA_BYTES.root + 1),
    /131073 bytes/,
  ],
  ["larger than a timestamp may be", "timestamp", new Uint8Array(20_000), /at most 16384/],
  ["that is no JSON", "targets", new TextEncoder().encode("<html>"), /no JSON/],
  ["that is no UTF-8", "targets", new Uint8Array([0x22, 0xff, 0x22]), /no JSON/],
  ["with a byte order mark", "targets", new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), /no JSON/],
  ["with nothing signed", "targets", encode({ signatures: [] }), /nothing signed/],
  ["that is a list", "targets", encode([1]), /nothing signed/],
  ["of ten thousand lists in one another", "snapshot", deep("[", "]", 10_000), /32 deep/],
  ["of a million objects in one another", "snapshot", deep('{"a":', "}", 500_000), /32 deep/],
  ["of version 0", "targets", encode(metadata({ version: 0 })), /version 0/],
  ["of version -1", "targets", encode(metadata({ version: -1 })), /version -1/],
  ["of version 1.5", "targets", encode(metadata({ version: 1.5 })), /version 1.5/],
  ["of a version beyond all numbers", "targets", encode(metadata({ version: 2 ** 60 })), /version/],
  ["without a version", "targets", encode(metadata({ version: undefined })), /version undefined/],
  ["that never expires", "targets", encode(metadata({ expires: "never" })), /expires "never"/],
  [
    "without a time zone",
    "targets",
    encode(metadata({ expires: "2030-01-31T00:00:00" })),
    /expires/,
  ],
  ["with too many targets", "js-a", encode(metadata({ targets: many(1001) })), /1001 targets/],
  ["with too many roles", "snapshot", encode(metadata({ meta: many(20_001) })), /20001 roles/],
  [
    "with too many delegations",
    "targets",
    encode(metadata({ delegations: { roles: Array(20_001).fill(0) } })),
    /20001 delegations/,
  ],
  ["with too many keys", "root", encode(metadata({ keys: many(1001) })), /1001 keys/],
  [
    "with too many signatures",
    "root",
    encode({ ...metadata({}), signatures: Array(1001).fill(0) }),
    /1001 signatures/,
  ],
  [
    "with a key of another kind",
    "root",
    encode(metadata({ keys: { a: { keytype: "ecdsa" } } })),
    /"ecdsa", wanted ed25519/,
  ],
  ["with a key of no kind", "root", encode(metadata({ keys: { a: 1 } })), /type none/],
];

for (const [what, role, bytes, found] of REFUSED) {
  test(`checkMetadata() refuses metadata ${what}`, () => {
    assert.throws(() => checkMetadata(role, bytes, ["ed25519"]), (error: Error) => {
      assert.ok(error instanceof MetadataRefused, String(error));
      assert.match(error.message, found);
      return true;
    });
  });
}

test("checkMetadata() takes brackets within texts for text", () => {
  checkMetadata("targets", encode(metadata({ note: "[".repeat(100) + '"\\' })), null);
});

test("checkMetadata() takes what is in bounds, and any key where none is preferred", () => {
  const keys = { a: { keytype: "ed25519" } };
  checkMetadata("root", encode(metadata({ keys })), ["ed25519"]);
  checkMetadata("root", encode(metadata({ keys: { b: { keytype: "rsa" } } })), null);
  checkMetadata("js-a", encode(metadata({ targets: many(1000) })), null);
});
