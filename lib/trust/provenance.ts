/**
 * Provenance: a public record, signed by who built an egg, of the repository and workflow that it
 * was built in. What is compared is compared to the letter: the library verifies whatever it is
 * given, and takes patterns for names.
 *
 * npm gives records as Sigstore's bundles; PyPI takes them apart (PEP 740), and here they are put
 * together again.
 *
 * @see SLSA, "Provenance", and in-toto's "Statement"
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import { isObject } from "../model/json.ts";
import type { Publisher } from "../model/trust.ts";
import type { VerifiedStatement } from "./sigstore_library.ts";
import { publicTrustRoot, verifyBundle } from "./sigstore_library.ts";

/** The predicates that say how something was built. */
const PROVENANCE = /^https:\/\/slsa\.dev\/provenance\/v(?:0\.2|1)$/;
/** What PyPI has publishers sign when they upload. */
const PUBLISHED = /\/attestations\/publish\/v1$/;
const STATEMENT = "application/vnd.in-toto+json";
const MAX_ATTESTATIONS = 20;
/** Who runs GitHub's workflows says so in the certificate. */
const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
const GITLAB_ISSUER = "https://gitlab.com";

/** Fulcio's object identifiers of what a certificate says. */
const ISSUER = "1.3.6.1.4.1.57264.1.8";
const SOURCE_REPOSITORY = "1.3.6.1.4.1.57264.1.12";
const BUILD_CONFIG = "1.3.6.1.4.1.57264.1.18";

/** What is to be proven. */
export interface ProvenanceQuestion {
  /** What the registry gives as an egg's attestations. */
  attestations: Uint8Array;
  /** Whose form they have. @default {"npm"} */
  form?: "npm" | "pypi";
  /** `name@version`, by the registry's own name; of PyPI the file's name. */
  name: string;
  /** The egg's digests, as `algorithm:hex`; one must be SHA-512, of PyPI SHA-256. */
  digests: string[];
  /** Who must have built it; anyone when `null`. */
  publisher: Publisher | null;
  /** The instance's trust root; the public one's without it. */
  trustRoot?: unknown;
  about: { egg: string; source: string };
}

/**
 * Proves who built an egg.
 *
 * @returns who did
 * @throws {TransmuteError} `signature-missing` when there is no provenance, `signature-invalid`
 * when it does not verify, is about something else, or names somebody else
 */
export async function verifyProvenance(question: ProvenanceQuestion): Promise<Publisher> {
  const { about, publisher } = question;
  const refuse = (
    code: "signature-missing" | "signature-invalid",
    found: string,
    cause?: unknown,
  ) => new TransmuteError(code, `Cannot accept ${about.egg}: ${found}`, { ...about, cause });
  const bundle = question.form === "pypi"
    ? publishedBundle(question.attestations)
    : provenanceBundle(question.attestations);
  if (bundle === null) throw refuse("signature-missing", "found no record of who built it");
  let statement: VerifiedStatement;
  try {
    statement = await verifyBundle(bundle, question.trustRoot ?? publicTrustRoot());
  } catch (error) {
    if (isTransmuteError(error)) throw error;
    const found = `found a record of who built it that does not verify (${describeError(error)})`;
    throw refuse("signature-invalid", found, error);
  }
  const wrong = wrongSubject(statement, question);
  if (wrong !== null) throw refuse("signature-invalid", `found a record ${wrong}`);
  const builder = builderOf(statement);
  if (builder === null) {
    throw refuse("signature-invalid", "found a record that names no repository it was built in");
  }
  if (publisher !== null && !isBy(builder, publisher)) {
    const wanted = [publisher.repository, publisher.workflow].filter(Boolean).join(" with ");
    const found = [builder.repository, builder.workflow].filter(Boolean).join(" with ");
    throw refuse("signature-invalid", `found it built by ${found}, wanted ${wanted}`);
  }
  return builder;
}

/** The bundle of provenance among attestations, or `null`. */
function provenanceBundle(attestations: Uint8Array): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder().decode(attestations));
  } catch {
    return null;
  }
  const list = isObject(answer) ? answer.attestations : null;
  if (!Array.isArray(list) || list.length > MAX_ATTESTATIONS) return null;
  const found = list.find((one) =>
    isObject(one) && typeof one.predicateType === "string" && PROVENANCE.test(one.predicateType)
  );
  return found?.bundle ?? null;
}

/** The first of PyPI's attestations, as a bundle, or `null`. */
function publishedBundle(attestations: Uint8Array): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder().decode(attestations));
  } catch {
    return null;
  }
  const bundles = isObject(answer) ? answer.attestation_bundles : null;
  const [first] = Array.isArray(bundles) ? bundles : [];
  const list = isObject(first) ? first.attestations : null;
  if (!Array.isArray(list) || list.length > MAX_ATTESTATIONS) return null;
  const [attestation] = list;
  if (!isObject(attestation)) return null;
  const { verification_material: material, envelope } = attestation;
  if (!isObject(material) || !isObject(envelope)) return null;
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {
      certificate: { rawBytes: material.certificate },
      tlogEntries: material.transparency_entries,
    },
    dsseEnvelope: {
      payload: envelope.statement,
      payloadType: STATEMENT,
      signatures: [{ sig: envelope.signature, keyid: "" }],
    },
  };
}

/** How a statement is not one of provenance about the egg, or `null`. */
function wrongSubject(
  { payload, payloadType }: VerifiedStatement,
  { form = "npm", name, digests }: ProvenanceQuestion,
): string | null {
  if (payloadType !== STATEMENT) return `of the type ${JSON.stringify(payloadType)}`;
  let statement: unknown;
  try {
    statement = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return "that is no JSON";
  }
  const { subject, predicateType } = isObject(statement) ? statement : {};
  const isOfKind = (type: string) =>
    PROVENANCE.test(type) || (form === "pypi" && PUBLISHED.test(type));
  if (typeof predicateType !== "string" || !isOfKind(predicateType)) {
    return `of ${JSON.stringify(predicateType)}`;
  }
  const [only, ...more] = Array.isArray(subject) ? subject : [];
  if (!isObject(only) || more.length > 0) return "about several things, or none";
  const wanted = form === "pypi" ? name : `pkg:npm/${name.replace(/^@/, "%40")}`;
  if (only.name !== wanted) return `about ${JSON.stringify(only.name)}, wanted ${wanted}`;
  const algorithm = form === "pypi" ? "sha256" : "sha512";
  const digest = isObject(only.digest) ? only.digest[algorithm] : undefined;
  if (typeof digest !== "string" || !digests.includes(`${algorithm}:${digest}`)) {
    return `about other bytes (${algorithm}:${digest})`;
  }
  return null;
}

/** Who built it, by the certificate and not by what the statement says of itself. */
function builderOf({ extensions }: VerifiedStatement): Publisher | null {
  const issuer = extensions.get(ISSUER);
  if (issuer !== GITHUB_ISSUER && issuer !== GITLAB_ISSUER) return null;
  const repository = extensions.get(SOURCE_REPOSITORY);
  if (repository === undefined || repository === "") return null;
  // `<repository>/.github/workflows/release.yml@refs/tags/v1.0.0`
  const config = extensions.get(BUILD_CONFIG) ?? "";
  const workflow = config.startsWith(`${repository}/`)
    ? config.slice(repository.length + 1).split("@")[0].replace(/^\/+/, "")
    : undefined;
  return { repository, ...(workflow === undefined ? {} : { workflow }) };
}

function isBy(builder: Publisher, { repository, workflow }: Publisher): boolean {
  return builder.repository === repository &&
    (workflow === undefined || builder.workflow === workflow);
}
