/**
 * Sigstore's verification, and the public instance's keys. Loaded only when provenance is asked
 * for.
 *
 * @module
 */

// Bundles, and the trust root as the public instance publishes it.
import bundles from "npm:@sigstore/bundle@5.0.1";
import protobuf from "npm:@sigstore/protobuf-specs@0.5.2";
// The keys of the public instance, as npm's own client carries them.
import seeds from "npm:@sigstore/tuf@5.0.1/seeds.json" with { type: "json" };
// The verification that npm's own client ships.
import verification from "npm:@sigstore/verify@4.1.3";
import { runtime } from "../runtime/current.ts";

/** What a verified bundle says: who signed, by object identifiers, and what. */
export interface VerifiedStatement {
  /** The values of the certificate's extensions, by their dotted identifiers. */
  extensions: Map<string, string>;
  /** Who signed, as the certificate names them. */
  subjectAlternativeName: string;
  /** The statement's type, and its text. */
  payloadType: string;
  payload: Uint8Array;
}

interface Crypto {
  verify(algorithm: unknown, data: unknown, key: unknown, signature: unknown): boolean;
}

/**
 * Deno's `verify` wants a digest where Node and Bun take an elliptic key's usual one, without which
 * no entry of a transparency log verifies there. While `work` runs, it is given.
 */
async function withUsualDigest<T>(work: () => T): Promise<T> {
  if (runtime.name !== "deno") return work();
  const { default: crypto } = await runtime.builtin<{ default: Crypto }>("crypto");
  const { verify } = crypto;
  crypto.verify = (algorithm, data, key, signature) => {
    const type = (key as { asymmetricKeyType?: string }).asymmetricKeyType;
    const usual = algorithm ?? (type === "ec" ? "sha256" : algorithm);
    return verify.call(crypto, usual, data, key, signature);
  };
  try {
    return work();
  } finally {
    crypto.verify = verify;
  }
}

/** The trust root of the public instance. */
export function publicTrustRoot(): unknown {
  const [instance] = Object.values(seeds as Record<string, { targets: Record<string, string> }>);
  return JSON.parse(atob(instance.targets["trusted_root.json"]));
}

/**
 * Verifies a bundle: its certificate, its entry in the transparency log, its signature. What it is
 * about, and whether its signer is the one that is wanted, is for the caller to compare.
 *
 * @throws {Error} of the library's own when anything does not verify
 */
export async function verifyBundle(
  bundle: unknown,
  trustRoot: unknown,
): Promise<VerifiedStatement> {
  const parsed = bundles.bundleFromJSON(bundle);
  if (parsed.content.$case !== "dsseEnvelope") throw new Error("found no signed statement in it");
  const { payload, payloadType } = parsed.content.dsseEnvelope;
  const material = verification.toTrustMaterial(protobuf.TrustedRoot.fromJSON(trustRoot));
  const verifier = new verification.Verifier(material, { tlogThreshold: 1, ctlogThreshold: 1 });
  const { identity } = await withUsualDigest(() =>
    verifier.verify(verification.toSignedEntity(parsed))
  );
  const extensions = new Map<string, string>();
  for (const { oid, value } of identity?.oids ?? []) {
    extensions.set(oid!.id.join("."), textOfDer(value));
  }
  return {
    extensions,
    subjectAlternativeName: identity?.subjectAlternativeName ?? "",
    payloadType,
    payload,
  };
}

/** The text of an extension: the older ones are bare, the others DER's UTF-8 strings. */
function textOfDer(value: Uint8Array): string {
  const isShort = value[0] === 0x0c && value[1] < 0x80 && value.length === value[1] + 2;
  const isLong = value[0] === 0x0c && value[1] === 0x81 && value.length === value[2] + 3;
  return new TextDecoder().decode(isShort ? value.slice(2) : isLong ? value.slice(3) : value);
}
