import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistryKey } from "../../lib/trust/registry_signature.ts";
import { readRegistryKeys, verifyRegistrySignature } from "../../lib/trust/registry_signature.ts";
import { refusal } from "../fixtures/refusal.ts";
import { registryKey } from "../fixtures/registry_key.ts";

const SIGNED = "hello@1.0.0:sha512-abc";
const ABOUT = { egg: "hello@1.0.0", source: "npm:" };
const own = registryKey();
const other = registryKey();
const ENDED = "2025-01-29T00:00:00.000Z";

const keysOf = (...listed: Record<string, unknown>[]): RegistryKey[] =>
  readRegistryKeys(JSON.stringify({ keys: listed }), "npm:");
const verify = (
  signatures: { keyid: string; sig: string }[],
  { keys = keysOf(own.listed), signed = SIGNED, publishedAt }: {
    keys?: RegistryKey[];
    signed?: string;
    publishedAt?: number;
  } = {},
) => verifyRegistrySignature({ signed, signatures }, keys, ABOUT, publishedAt);

test("verifyRegistrySignature() tells which key signed", async () => {
  assert.equal(await verify([own.sign(SIGNED)]), own.keyid);
  // Signatures begin with zeros once in a hundred times, and DER is shorter or longer then.
  for (let index = 0; index < 300; index++) {
    const signed = `hello@1.0.${index}:sha512-abc`;
    await verify([own.sign(signed)], { signed });
  }
});

test("verifyRegistrySignature() passes over keys that are not published", async () => {
  assert.equal(await verify([other.sign("anything"), own.sign(SIGNED)]), own.keyid);
});

test("verifyRegistrySignature() takes an ended key for what was published before", async () => {
  const keys = keysOf({ ...own.listed, expires: ENDED });
  await verify([own.sign(SIGNED)], { keys, publishedAt: Date.parse(ENDED) - 1 });
  await verify([own.sign(SIGNED)], { keys });
  await assert.rejects(
    verify([own.sign(SIGNED)], { keys, publishedAt: Date.parse(ENDED) }),
    refusal("signature-invalid", "had ended"),
  );
});

const { sig } = own.sign(SIGNED);
const REFUSED: [what: string, signatures: { keyid: string; sig: string }[], found: string][] = [
  ["of no published key", [other.sign(SIGNED)], "wanted a published key"],
  ["over another version", [own.sign("hello@1.0.1:sha512-abc")], "not SHA256:"],
  ["over other bytes", [own.sign("hello@1.0.0:sha512-abd")], "not SHA256:"],
  [
    "of another key under this one's name",
    [{ ...other.sign(SIGNED), keyid: own.keyid }],
    "not SHA",
  ],
  ["that is no base64", [{ keyid: own.keyid, sig: "?" }], "not SHA256:"],
  ["that is empty", [{ keyid: own.keyid, sig: "" }], "not SHA256:"],
  ["that is cut off", [{ keyid: own.keyid, sig: sig.slice(0, -8) }], "not SHA256:"],
  ["with more after it", [{ keyid: own.keyid, sig: btoa(`${atob(sig)}x`) }], "not SHA256:"],
  ["of which one of two is wrong", [own.sign(SIGNED), own.sign("x")], "not SHA256:"],
];

for (const [what, signatures, found] of REFUSED) {
  test(`verifyRegistrySignature() refuses a signature ${what}`, async () => {
    await assert.rejects(verify(signatures), refusal("signature-invalid", found));
  });
}

test("verifyRegistrySignature() refuses no signature at all", async () => {
  await assert.rejects(verify([]), refusal("signature-missing", "no signature of its registry"));
});

test("readRegistryKeys() passes over keys of other kinds, and refuses what is no list", () => {
  assert.deepEqual(keysOf({ ...own.listed, scheme: "ed25519" }, { keyid: 1 }, 2 as never), []);
  assert.equal(keysOf({ ...own.listed, expires: "some day" })[0].expiresAt, 0);
  for (const text of ["", "<html>", "[]", '{"keys":1}', `{"keys":[${"0,".repeat(100)}0]}`]) {
    assert.throws(() => readRegistryKeys(text, "npm:"), refusal("listing-invalid"), text);
  }
});
