/**
 * Makes `tests/fixtures/provenance.json`: records of who built an egg, signed by a certificate
 * authority and entered into transparency logs of this script's own, and the trust root of those.
 *
 * Run it with `deno run -A scripts/make_provenance.ts` when the vectors are to change.
 */

import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Buffer } from "node:buffer";
import bundles from "npm:@sigstore/bundle@5.0.1";
import mock from "npm:@sigstore/mock@0.13.0";
import sigstore from "npm:@sigstore/sign@5.1.0";
import { packEntries } from "../lib/publisher/pack.ts";
import { helloWheel } from "../tests/fixtures/python_wheel.ts";

const ISSUER = "https://token.actions.githubusercontent.com";
const REPOSITORY = "https://github.com/acme/hello";

async function archiveOf(version: string): Promise<Uint8Array> {
  const manifest = { name: "hello", version, type: "module", exports: "./index.js" };
  return (await packEntries(manifest, { "index.js": "export default 1;" })).archive;
}

const [ARCHIVE, LATER_ARCHIVE] = [await archiveOf("1.0.0"), await archiveOf("2.0.0")];

const WHEEL = helloWheel("1.0");

const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const authorityKeys = generateKeyPairSync("ec", { namedCurve: "P-384" });
const [ctKeys, logKeys] = [keyPair(), keyPair()];
const ctLog = await mock.initializeCTLog(ctKeys);
const authority = await mock.initializeCA(authorityKeys, ctLog);
const log = await mock.initializeTLog("https://log.example", logKeys);
const handlers = [mock.fulcioHandler(authority), mock.rekorHandler(log)];

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const handler = handlers.find(({ path }) => request.url === path)!;
  const answer = await handler.fn(Buffer.concat(chunks).toString());
  response.writeHead(answer.statusCode, { "content-type": answer.contentType ?? "text/plain" });
  response.end(answer.response);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** A token of the continuous integration, as far as the certificate authority reads it. */
function token(repository: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const path = repository.slice("https://github.com/".length);
  const workflow = `${path}/.github/workflows/release.yml@refs/tags/v1.0.0`;
  const claims = {
    iss: ISSUER,
    sub: `repo:${path}:ref:refs/tags/v1.0.0`,
    repository: path,
    workflow_ref: workflow,
    job_workflow_ref: workflow,
    aud: "sigstore",
  };
  return `${part({ alg: "none" })}.${part(claims)}.x`;
}

/** A record of who built what. */
async function record(
  { repository = REPOSITORY, name = "pkg:npm/hello@1.0.0", bytes = ARCHIVE, more = {} }: {
    repository?: string;
    name?: string;
    bytes?: Uint8Array;
    more?: Record<string, unknown>;
  } = {},
) {
  const predicateType = "https://slsa.dev/provenance/v1";
  const sha512 = createHash("sha512").update(bytes).digest("hex");
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name, digest: { sha512 } }],
    predicateType,
    predicate: {},
    ...more,
  };
  const builder = new sigstore.DSSEBundleBuilder({
    signer: new sigstore.FulcioSigner({
      fulcioBaseURL: url,
      identityProvider: { getToken: () => Promise.resolve(token(repository)) },
    }),
    witnesses: [new sigstore.RekorWitness({ rekorBaseURL: url, entryType: "intoto" })],
  });
  const bundle = await builder.create({
    data: Buffer.from(JSON.stringify(statement)),
    type: "application/vnd.in-toto+json",
  });
  return { predicateType, bundle: bundles.bundleToJSON(bundle) };
}

/** A record in the form that PyPI gives it: the parts of a bundle under names of its own. */
async function published(more: { repository?: string; name?: string } = {}) {
  const { repository, name = WHEEL.name } = more;
  const predicateType = "https://index.example/attestations/publish/v1";
  const sha256 = createHash("sha256").update(WHEEL.bytes).digest("hex");
  const subject = [{ name, digest: { sha256 } }];
  const { bundle } = await record({
    ...(repository === undefined ? {} : { repository }),
    more: { subject, predicateType, predicate: null },
  });
  const { verificationMaterial: material, dsseEnvelope: envelope } = JSON.parse(
    JSON.stringify(bundle),
  );
  const [first] = material.x509CertificateChain?.certificates ?? [material.certificate];
  return {
    version: 1,
    attestation_bundles: [{
      publisher: { kind: "GitHub" },
      attestations: [{
        version: 1,
        verification_material: {
          certificate: first.rawBytes,
          transparency_entries: material.tlogEntries,
        },
        envelope: { statement: envelope.payload, signature: envelope.signatures[0].sig },
      }],
    }],
  };
}

function trustedLog(publicKey: Buffer, baseUrl: string) {
  return {
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: {
      rawBytes: publicKey.toString("base64"),
      keyDetails: "PKIX_ECDSA_P256_SHA_256",
      validFor: { start: "2020-01-01T00:00:00Z" },
    },
    logId: { keyId: createHash("sha256").update(publicKey).digest("base64") },
  };
}

const spki = (keys: ReturnType<typeof keyPair>) =>
  createPublicKey(keys.publicKey.export({ format: "pem", type: "spki" })).export({
    format: "der",
    type: "spki",
  }) as Buffer;

const vectors = {
  trustRoot: {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [trustedLog(spki(logKeys), "https://log.example")],
    certificateAuthorities: [{
      subject: { organization: "sigstore.mock", commonName: "sigstore" },
      uri: "https://authority.example",
      certChain: {
        certificates: [{
          rawBytes: Buffer.from(authority.rootCertificate as Uint8Array).toString("base64"),
        }],
      },
      validFor: { start: "2020-01-01T00:00:00Z" },
    }],
    ctlogs: [trustedLog(spki(ctKeys), "https://certificates.example")],
    timestampAuthorities: [],
  },
  sha512: createHash("sha512").update(ARCHIVE).digest("hex"),
  archive: Buffer.from(ARCHIVE).toString("base64"),
  laterArchive: Buffer.from(LATER_ARCHIVE).toString("base64"),
  later: await record({ name: "pkg:npm/hello@2.0.0", bytes: LATER_ARCHIVE }),
  laterEvil: await record({
    name: "pkg:npm/hello@2.0.0",
    bytes: LATER_ARCHIVE,
    repository: `${REPOSITORY}-evil`,
  }),
  wheel: { name: WHEEL.name, archive: Buffer.from(WHEEL.bytes).toString("base64") },
  published: await published(),
  publishedEvil: await published({ repository: `${REPOSITORY}-evil` }),
  publishedOther: await published({ name: "other-1.0-py3-none-any.whl" }),
  good: await record(),
  evil: await record({ repository: `${REPOSITORY}-evil` }),
  otherName: await record({ name: "pkg:npm/other@1.0.0" }),
  otherBytes: await record({ bytes: new Uint8Array(1) }),
  severalSubjects: await record({
    more: { subject: [{ name: "pkg:npm/hello@1.0.0" }, { name: "pkg:npm/other@1.0.0" }] },
  }),
  otherPredicate: await record({ more: { predicateType: "https://example.com/anything" } }),
};
server.close();
await Deno.writeTextFile("tests/fixtures/provenance.json", `${JSON.stringify(vectors, null, 1)}\n`);
