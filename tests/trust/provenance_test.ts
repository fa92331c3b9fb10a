/** Records made by `scripts/make_provenance.ts`: real certificates, logs and signatures. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ProvenanceQuestion } from "../../lib/trust/provenance.ts";
import { verifyProvenance } from "../../lib/trust/provenance.ts";
import { publicTrustRoot } from "../../lib/trust/sigstore_library.ts";
import { refusal } from "../fixtures/refusal.ts";

const VECTORS = JSON.parse(readFileSync("tests/fixtures/provenance.json", "utf8"));
const REPOSITORY = "https://github.com/acme/hello";
const WORKFLOW = ".github/workflows/release.yml";

const attestations = (...list: unknown[]) =>
  new TextEncoder().encode(JSON.stringify({ attestations: list }));

const verify = (changes: Partial<ProvenanceQuestion> = {}) =>
  verifyProvenance({
    attestations: attestations(VECTORS.good),
    name: "hello@1.0.0",
    digests: [`sha512:${VECTORS.sha512}`],
    publisher: null,
    trustRoot: VECTORS.trustRoot,
    about: { egg: "hello@1.0.0", source: "npm:" },
    ...changes,
  });

test("verifyProvenance() tells who built an egg", async () => {
  assert.deepEqual(await verify(), { repository: REPOSITORY, workflow: WORKFLOW });
});

test("verifyProvenance() accepts the publisher that is wanted", async () => {
  await verify({ publisher: { repository: REPOSITORY } });
  await verify({ publisher: { repository: REPOSITORY, workflow: WORKFLOW } });
});

test("verifyProvenance() finds the record among others", async () => {
  const other = { predicateType: "https://github.com/npm/attestation/v0.1", bundle: {} };
  await verify({ attestations: attestations(other, VECTORS.good) });
});

/** Every way in which a library that is merely asked whether it verifies would say yes. */
const REFUSED: [
  what: string,
  code: "signature-invalid" | "signature-missing",
  changes: Partial<ProvenanceQuestion>,
  found: string,
][] = [
  [
    "of another egg",
    "signature-invalid",
    { attestations: attestations(VECTORS.otherName) },
    "about",
  ],
  [
    "of another version",
    "signature-invalid",
    { name: "hello@1.0.1" },
    "wanted pkg:npm/hello@1.0.1",
  ],
  ["of other bytes", "signature-invalid", {
    attestations: attestations(VECTORS.otherBytes),
  }, "other bytes"],
  ["of an egg without SHA-512", "signature-invalid", { digests: ["sha1:00"] }, "other bytes"],
  ["of several things", "signature-invalid", {
    attestations: attestations(VECTORS.severalSubjects),
  }, "several things"],
  ["that says something else", "signature-invalid", {
    attestations: attestations(VECTORS.otherPredicate),
  }, 'of "https://example.com/anything"'],
  ["by a repository of a longer name", "signature-invalid", {
    attestations: attestations(VECTORS.evil),
    publisher: { repository: REPOSITORY },
  }, "hello-evil"],
  ["by a repository whose name is a pattern of it", "signature-invalid", {
    publisher: { repository: "https://github.com/acme/.*" },
  }, "wanted https://github.com/acme/.*"],
  ["by another workflow", "signature-invalid", {
    publisher: { repository: REPOSITORY, workflow: ".github/workflows/other.yml" },
  }, "other.yml"],
  ["that another instance logged", "signature-invalid", { trustRoot: publicTrustRoot() }, "verify"],
  ["that is no bundle", "signature-invalid", {
    attestations: attestations({ predicateType: VECTORS.good.predicateType, bundle: { a: 1 } }),
  }, "does not verify"],
  ["that is not there", "signature-missing", { attestations: attestations() }, "no record"],
  ["that is no JSON", "signature-missing", { attestations: new Uint8Array(3) }, "no record"],
  ["among too many", "signature-missing", {
    attestations: attestations(...Array(21).fill(VECTORS.good)),
  }, "no record"],
];

for (const [what, code, changes, found] of REFUSED) {
  test(`verifyProvenance() refuses a record ${what}`, async () => {
    await assert.rejects(verify(changes), refusal(code, found));
  });
}

test("verifyProvenance() refuses a record of which anything was changed", async () => {
  const text = JSON.stringify(VECTORS.good);
  const { dsseEnvelope, verificationMaterial } = VECTORS.good.bundle;
  const certificate = verificationMaterial.certificate?.rawBytes ??
    verificationMaterial.x509CertificateChain.certificates[0].rawBytes;
  const [entry] = verificationMaterial.tlogEntries;
  const promise = entry.inclusionPromise.signedEntryTimestamp;
  const parts = [
    dsseEnvelope.payload,
    dsseEnvelope.signatures[0].sig,
    certificate,
    promise,
    entry.canonicalizedBody,
  ];
  for (const part of parts) {
    const middle = part.length >> 1;
    const changed = part.slice(0, middle) + (part[middle] === "A" ? "B" : "A") +
      part.slice(middle + 1);
    const record = JSON.parse(text.replace(part, changed));
    await assert.rejects(
      verify({ attestations: attestations(record) }),
      refusal("signature-invalid"),
      part.slice(0, 40),
    );
  }
});

const WHEEL = {
  name: VECTORS.wheel.name as string,
  bytes: new Uint8Array(Buffer.from(VECTORS.wheel.archive, "base64")),
};
const verifyPublished = (changes: Partial<ProvenanceQuestion> = {}) =>
  verify({
    form: "pypi",
    attestations: new TextEncoder().encode(JSON.stringify(VECTORS.published)),
    name: WHEEL.name,
    digests: [`sha256:${createHash("sha256").update(WHEEL.bytes).digest("hex")}`],
    ...changes,
  });

test("verifyProvenance() tells who published a file of PyPI", async () => {
  assert.deepEqual(await verifyPublished(), { repository: REPOSITORY, workflow: WORKFLOW });
  await verifyPublished({ publisher: { repository: REPOSITORY } });
});

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const PUBLISHED_WRONG: [
  what: string,
  changes: Partial<ProvenanceQuestion>,
  code: "signature-invalid" | "signature-missing",
  found: string,
][] = [
  ["of another file", { attestations: json(VECTORS.publishedOther) }, "signature-invalid", "about"],
  ["of other bytes", { digests: [`sha256:${"0".repeat(64)}`] }, "signature-invalid", "other bytes"],
  [
    "of somebody else",
    {
      attestations: json(VECTORS.publishedEvil),
      publisher: { repository: REPOSITORY },
    },
    "signature-invalid",
    "-evil",
  ],
  ["that is none", { attestations: json({ version: 1 }) }, "signature-missing", "no record"],
  ["in npm's form", { form: "npm" }, "signature-missing", "no record"],
];

for (const [what, changes, code, found] of PUBLISHED_WRONG) {
  test(`verifyProvenance() refuses a record of PyPI ${what}`, async () => {
    await assert.rejects(verifyPublished(changes), refusal(code, found));
  });
}

test("verifyProvenance() refuses a record of PyPI with a changed statement", async () => {
  const changed = structuredClone(VECTORS.published);
  const { envelope } = changed.attestation_bundles[0].attestations[0];
  envelope.statement = btoa(atob(envelope.statement).replace("hello-1.0", "hello-1.1"));
  await assert.rejects(
    verifyPublished({ attestations: json(changed), name: "hello-1.1-py3-none-any.whl" }),
    refusal("signature-invalid", "does not verify"),
  );
});
