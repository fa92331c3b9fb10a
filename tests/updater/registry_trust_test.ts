/** Every policy with every evidence, and the verdict. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ErrorCode } from "../../lib/errors.ts";
import { isTransmuteError } from "../../lib/errors.ts";
import type { RegistryRecord, Release } from "../../lib/model/egg.ts";
import type { TrustPolicy } from "../../lib/model/trust.ts";
import type { Source } from "../../lib/sources/source.ts";
import { provingRegistry } from "../../lib/updater/registry_trust.ts";
import { registryKey } from "../fixtures/registry_key.ts";
import { contextOf } from "../fixtures/source_context.ts";
import { DAY, NOW } from "../fixtures/world.ts";

const VECTORS = JSON.parse(readFileSync("tests/fixtures/provenance.json", "utf8"));
const SIGNED = "hello@1.0.0:sha512-abc";
const key = registryKey();
const stranger = registryKey();
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

interface Evidence {
  record?: Partial<RegistryRecord>;
  /** What the registry lists as its keys; absent when it publishes none. */
  keys?: unknown[];
  attestations?: unknown[];
}

/** A registry with this evidence of one release. */
function registryOf({ keys, attestations }: Evidence): Source {
  const nothing = () => Promise.reject(new Error("nobody asked for that"));
  return {
    id: "npm:",
    kind: "network",
    list: nothing,
    fetch: () => Promise.resolve(encode({ attestations })),
    files: {
      locate: nothing,
      read: () =>
        Promise.resolve(
          keys === undefined
            ? { status: "absent" }
            : { status: "read", bytes: encode({ keys }), validators: {} },
        ),
    },
  };
}

function releaseOf({ record, attestations }: Evidence): Release {
  const whole: RegistryRecord | null = record === undefined && attestations === undefined ? null : {
    signed: SIGNED,
    signatures: [],
    ...(attestations === undefined ? {} : { attestations: "https://registry.example/a" }),
    ...record,
  };
  return {
    project: "hello",
    version: "1.0.0",
    artifact: {
      locator: "x",
      digests: [`sha512:${VECTORS.sha512}`],
      validator: "x",
      ...(whole === null ? {} : { record: whole }),
    },
    publishedAt: NOW,
  };
}

/** The verdict: what vouches for it, or the code of the refusal. */
async function verdictOf(
  policy: TrustPolicy,
  evidence: Evidence,
  before: string[] = [],
): Promise<string> {
  const release = releaseOf(evidence);
  const registry = provingRegistry(registryOf(evidence), {
    policy: { sigstoreRoot: VECTORS.trustRoot, ...policy },
    vouchedBefore: () => before,
    now: () => NOW,
    tell: () => {},
  });
  try {
    await registry.prove(release, contextOf());
    return release.vouchedBy!.map((proof) => proof.split(" ").slice(0, 2).join(" ")).join(", ") ||
      "unsigned";
  } catch (error) {
    assert.ok(isTransmuteError(error), String(error));
    return error.code;
  }
}

const good = { signatures: [key.sign(SIGNED)] };
const SIGNATURES: Record<string, Evidence> = {
  "absent": { keys: [key.listed] },
  "malformed": {
    keys: [key.listed],
    record: { signatures: [{ keyid: key.keyid, sig: "no base64!" }] },
  },
  "over something else": {
    keys: [key.listed],
    record: { signatures: [key.sign("other@1.0.0:sha512-abc")] },
  },
  "of a wrong key": { keys: [key.listed], record: { signatures: [stranger.sign(SIGNED)] } },
  "of an expired key": {
    keys: [{ ...key.listed, expires: new Date(NOW - DAY).toISOString() }],
    record: good,
  },
  "of a registry without keys": { record: good },
  "valid": { keys: [key.listed], record: good },
};

type Verdict = ErrorCode | "unsigned" | "signed by" | "built by";
const ofSignatures = (absent: Verdict, withoutKeys: Verdict): Record<string, Verdict> => ({
  "absent": absent,
  "malformed": "signature-invalid",
  "over something else": "signature-invalid",
  "of a wrong key": "signature-invalid",
  "of an expired key": "signature-invalid",
  "of a registry without keys": withoutKeys,
  "valid": "signed by",
});
const MISSING = ofSignatures("signature-missing", "signature-missing");

const SIGNATURE_POLICIES: [
  name: string,
  policy: TrustPolicy,
  before: string[],
  Record<string, Verdict>,
][] = [
  ["no demand", {}, [], ofSignatures("unsigned", "unsigned")],
  ["signatures demanded", { require: "signature" }, [], MISSING],
  ["a signed release before", {}, [`signed by its registry with ${key.keyid}`], MISSING],
  ["an unsigned release before", {}, ["size"], ofSignatures("unsigned", "unsigned")],
];

for (const [name, policy, before, verdicts] of SIGNATURE_POLICIES) {
  for (const [evidence, verdict] of Object.entries(verdicts)) {
    test(`prove() with ${name} and a signature ${evidence}: ${verdict}`, async () => {
      assert.equal(await verdictOf(policy, SIGNATURES[evidence], before), verdict);
    });
  }
}

const { good: record, evil, otherName, otherBytes } = VECTORS;
const changed = structuredClone(record);
changed.bundle.dsseEnvelope.signatures[0].sig = stranger.sign("x").sig;
const RECORDS: Record<string, Evidence> = {
  "absent": {},
  "malformed": { attestations: [{ predicateType: record.predicateType, bundle: {} }] },
  "of a wrong key": { attestations: [changed] },
  "about another egg": { attestations: [otherName] },
  "about other bytes": { attestations: [otherBytes] },
  "by another publisher": { attestations: [evil] },
  "valid": { attestations: [record] },
};
const ofRecords = (absent: Verdict, others: Verdict, valid: Verdict, byAnother: Verdict) => ({
  "absent": absent,
  "malformed": others,
  "of a wrong key": others,
  "about another egg": others,
  "about other bytes": others,
  "by another publisher": byAnother,
  "valid": valid,
});

const REPOSITORY = "https://github.com/acme/hello";
const SAME = ofRecords("signature-missing", "signature-invalid", "built by", "signature-invalid");
const RECORD_POLICIES: [
  name: string,
  policy: TrustPolicy,
  before: string[],
  Record<string, Verdict>,
][] = [
  ["no demand", {}, [], ofRecords("unsigned", "unsigned", "unsigned", "unsigned")],
  [
    "provenance demanded",
    { require: "provenance" },
    [],
    ofRecords("signature-missing", "signature-invalid", "built by", "built by"),
  ],
  ["a publisher demanded", { publisher: { repository: REPOSITORY } }, [], SAME],
  ["a publisher known before", {}, [`built by ${REPOSITORY} with .github/workflows/a.yml`], SAME],
];

for (const [name, policy, before, verdicts] of RECORD_POLICIES) {
  for (const [evidence, verdict] of Object.entries(verdicts)) {
    test(`prove() with ${name} and a record ${evidence}: ${verdict}`, async () => {
      assert.equal(await verdictOf(policy, RECORDS[evidence], before), verdict);
    });
  }
}
