/**
 * What a registry's eggs are proven by besides their digests: the registry's signature, and on
 * request the public record of who built them. Checked for the releases that are selected, and
 * never weaker than for the ones that they replace.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Listing, RegistryRecord, Release } from "../model/egg.ts";
import { eggName } from "../model/egg.ts";
import type { Tell } from "../model/event.ts";
import type { Publisher, TrustPolicy } from "../model/trust.ts";
import { withQuietEnvironment } from "../runtime/quiet_environment.ts";
import type { Source, SourceContext } from "../sources/source.ts";
import type { RegistryKey } from "../trust/registry_signature.ts";

const KEYS_PATH = "-/npm/v1/keys";
const MAX_KEYS_BYTES = 256 * 1024;
const MAX_ATTESTATIONS_BYTES = 4 * 1024 ** 2;
const SIGNED = "signed by its registry with ";
const BUILT = "built by ";
/** What a registry without a record says of an egg. */
const NOTHING: RegistryRecord = { signed: "", signatures: [] };

/** A source whose releases are proven further when they are selected. */
export interface ProvingSource extends Source {
  /**
   * Proves a release that was selected; adds to its `vouchedBy`.
   *
   * @throws {TransmuteError} `signature-missing` or `signature-invalid`: it is to be refused
   */
  prove(release: Release, context: SourceContext): Promise<void>;
  /** Learns when releases were published, where that decides and the listing does not tell. */
  learnTimes(listing: Listing, isDependency: boolean, context: SourceContext): Promise<void>;
  /** Why a release is too young to be taken, or `null`. */
  youth(release: Release, isDependency: boolean): string | null;
}

/** Whether a source proves what is selected from it. */
export function isProving(source: Source): source is ProvingSource {
  return "prove" in source;
}

/** What proving needs of its surroundings. */
export interface RegistryTrustSettings {
  policy: TrustPolicy;
  /** What vouched for the active egg of a project, if that came from the same source. */
  vouchedBefore(project: string): string[];
  now: () => number;
  tell: Tell;
}

const HOUR_MS = 60 * 60 * 1000;
/** What comes along from a public registry has been there for a day. */
const DEPENDENCY_AGE_MS = 24 * HOUR_MS;

/** Makes of a registry one that proves what is selected from it. */
export function provingRegistry(
  source: Source,
  { policy, vouchedBefore, now, tell }: RegistryTrustSettings,
): ProvingSource {
  const isPublic = source.id === "npm:" || source.id === "jsr:" || source.id === "pypi:";
  const { required = 0, transitive = isPublic ? DEPENDENCY_AGE_MS : 0 } = policy.minimumAgeMs ?? {};
  const wantedAge = (isDependency: boolean) => isDependency ? transitive : required;
  let keys: Promise<RegistryKey[] | null> | undefined;
  const proven = new Map<Release, Promise<string[]>>();

  async function askKeys(context: SourceContext): Promise<RegistryKey[] | null> {
    if (source.files === undefined) return null;
    const { readRegistryKeys } = await import("../trust/registry_signature.ts");
    const name = `${source.id} ${KEYS_PATH}`;
    const kept = context.listings.read(name);
    const answer = await source.files.read({
      path: KEYS_PATH,
      maxBytes: MAX_KEYS_BYTES,
      ...(kept === null ? {} : { validators: kept.validators }),
    }, context);
    if (answer.status === "not-modified") return readRegistryKeys(kept!.body, source.id);
    if (answer.status !== "read") return null;
    const body = new TextDecoder().decode(answer.bytes);
    const read = readRegistryKeys(body, source.id);
    if (Object.keys(answer.validators).length > 0) {
      context.listings.write(name, { validators: answer.validators, body });
    }
    return read;
  }

  async function signature(release: Release, context: SourceContext): Promise<string[]> {
    const record = release.artifact.record ?? NOTHING;
    const about = { egg: eggName(release), source: source.id };
    const isDemanded = policy.require === "signature" ||
      vouchedBefore(release.project).some((proof) => proof.startsWith(SIGNED));
    if (record.signatures.length === 0 && !isDemanded) return [];
    const published = record.signatures.length === 0 ? [] : await (keys ??= askKeys(context));
    if (published === null) {
      if (!isDemanded) {
        tell("debug", "skipped", { egg: about.egg, message: `${source.id} publishes no keys` });
        return [];
      }
      throw new TransmuteError(
        "signature-missing",
        `Cannot accept ${about.egg}: ${source.id} publishes no keys to check its signature with`,
        about,
      );
    }
    const { verifyRegistrySignature } = await import("../trust/registry_signature.ts");
    const keyid = await verifyRegistrySignature(record, published, about, release.publishedAt);
    return [`${SIGNED}${keyid}`];
  }

  async function provenance(release: Release, context: SourceContext): Promise<string[]> {
    const builtBefore = vouchedBefore(release.project).find((proof) => proof.startsWith(BUILT));
    const demanded = policy.publisher ?? publisherOf(builtBefore);
    if (demanded === null && policy.require !== "provenance") return [];
    const about = { egg: eggName(release), source: source.id };
    const attestations = release.artifact.record?.attestations;
    if (attestations === undefined) {
      throw new TransmuteError(
        "signature-missing",
        `Cannot accept ${about.egg}: found no record of who built it, wanted ${
          demanded === null ? "one" : `that ${demanded.repository} did`
        }`,
        about,
      );
    }
    const fetched = await source.fetch(
      { locator: attestations, digests: [], validator: "" },
      { ...context, maxDownloadBytes: MAX_ATTESTATIONS_BYTES },
    );
    const { verifyProvenance } = await withQuietEnvironment(() => import("../trust/provenance.ts"));
    const publisher = await verifyProvenance({
      attestations: "bytes" in fetched ? fetched.bytes : fetched,
      form: release.python === undefined ? "npm" : "pypi",
      name: release.artifact.record!.signed.split(":")[0],
      digests: release.artifact.digests,
      publisher: demanded,
      ...(policy.sigstoreRoot === undefined ? {} : { trustRoot: valueOf(policy.sigstoreRoot) }),
      about,
    });
    return [builtBy(publisher)];
  }

  return {
    id: source.id,
    kind: source.kind,
    ...(source.ecosystems === undefined ? {} : { ecosystems: source.ecosystems }),
    list: (project, context, ecosystem) => source.list(project, context, ecosystem),
    fetch: (artifact, context) => source.fetch(artifact, context),
    ...(source.files === undefined ? {} : { files: source.files }),
    ...(source.pythonMetadata === undefined ? {} : {
      pythonMetadata: (release, context) => source.pythonMetadata!(release, context),
    }),

    async learnTimes(listing, isDependency, context) {
      const { project, releases, modifiedAt } = listing;
      const isDecisive = modifiedAt !== undefined && now() - modifiedAt < wantedAge(isDependency);
      if (!isDecisive || releases.some(({ publishedAt }) => publishedAt !== undefined)) return;
      const times = await source.publishTimes?.(project, context) ?? new Map();
      for (const release of releases) {
        const publishedAt = times.get(release.version);
        if (publishedAt !== undefined) release.publishedAt = publishedAt;
      }
    },

    youth({ publishedAt }, isDependency) {
      const wanted = wantedAge(isDependency);
      if (publishedAt === undefined || now() - publishedAt >= wanted) return null;
      const hours = (ms: number) => `${Math.max(0, Math.floor(ms / HOUR_MS))} hours`;
      return `is ${hours(now() - publishedAt)} old, wanted ${hours(wanted)}`;
    },

    async prove(release, context) {
      let proof = proven.get(release);
      if (proof === undefined) {
        proof = Promise.all([signature(release, context), provenance(release, context)])
          .then((lists) => lists.flat());
        proven.set(release, proof);
      }
      release.vouchedBy = await proof;
    },
  };
}

function valueOf(json: string | Record<string, unknown>): unknown {
  return typeof json === "string" ? JSON.parse(json) : json;
}

/** A publisher in words, as proofs record it. */
function builtBy({ repository, workflow }: Publisher): string {
  return `${BUILT}${repository}${workflow === undefined ? "" : ` with ${workflow}`}`;
}

/** The publisher that a proof names: it may not change its repository, nor vanish. */
function publisherOf(proof: string | undefined): Publisher | null {
  if (proof === undefined) return null;
  return { repository: proof.slice(BUILT.length).split(" with ")[0] };
}
