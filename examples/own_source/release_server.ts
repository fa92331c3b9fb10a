/**
 * A source of one's own: a release server that lists its eggs in its own way.
 *
 * `GET <server>/projects/hello` answers with the releases of `hello`, by version:
 *
 * ```json
 * { "1.0.0": { "file": "files/hello-1.0.0.tgz", "bytes": 292, "sha512": "…" } }
 * ```
 *
 * `tests/sources/own_source_test.ts` runs the contract of sources on it.
 *
 * @module
 */

import type { ErrorCode, Release, Source, SourceContext } from "../../mod.ts";
import { registerSource, TransmuteError } from "../../mod.ts";

const MAX_LISTING_BYTES = 1_000_000;

interface ListedRelease {
  file: string;
  bytes: number;
  sha512: string;
}

/** Opens the release server at `address`, such as `releases+https://eggs.example/`. */
export function releaseServer(address: string): Source {
  const server = new URL(address.replace(/^releases\+/, ""));
  const id = `releases+${server.href}`;

  return {
    id,
    kind: "network",

    async list(project, context) {
      const nothing = { listing: { project, releases: [], tags: {} }, cached: false };
      const url = new URL(`projects/${encodeURIComponent(project)}`, server);
      const limit = { bytes: MAX_LISTING_BYTES, code: "listing-invalid" } as const;
      const answer = await ask(url, limit, id, context);
      if (answer === null) return nothing;
      let listed: Record<string, ListedRelease>;
      try {
        listed = JSON.parse(new TextDecoder().decode(answer));
      } catch (cause) {
        throw failure("listing-invalid", `Cannot list ${project}: found no JSON`, id, cause);
      }
      const releases = Object.entries(listed).map((
        [version, { file, bytes, sha512 }],
      ): Release => ({
        project,
        version,
        artifact: {
          locator: new URL(file, server).href,
          sizeBytes: bytes,
          digests: [`sha512:${sha512}`],
          validator: sha512,
        },
      }));
      return { listing: { project, releases, tags: {} }, cached: false };
    },

    async fetch(artifact, context) {
      const limit = { bytes: context.maxDownloadBytes, code: "size-mismatch" } as const;
      const bytes = await ask(new URL(artifact.locator), limit, id, context);
      if (bytes === null) {
        throw failure("egg-missing", `Cannot fetch ${artifact.locator}: it is gone`, id);
      }
      return bytes;
    },
  };
}

function failure(code: ErrorCode, message: string, source: string, cause?: unknown) {
  return new TransmuteError(code, message, { source, cause });
}

/** A whole body, or `null` when there is nothing at `url`. */
async function ask(
  url: URL,
  limit: { bytes: number; code: ErrorCode },
  source: string,
  { fetch, signal }: SourceContext,
): Promise<Uint8Array | null> {
  const failed = (code: ErrorCode, found: string, cause?: unknown) =>
    failure(code, `Cannot ask ${url.host}: ${found}`, source, cause);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    signal.throwIfAborted();
    // By hand: a redirect must not carry this program to where nobody wanted it.
    const response = await fetch(url, { signal, redirect: "manual" });
    if (response.status !== 200) await response.body?.cancel();
    if (response.status === 404) return null;
    if (response.status === 403) throw failed("source-denied", "it answered 403");
    if (response.status !== 200) {
      throw failed("source-unreachable", `it answered ${response.status}`);
    }
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > limit.bytes) throw failed(limit.code, `it sent more than ${limit.bytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof TransmuteError) throw error;
    throw signal.aborted
      ? failed("source-timeout", "it did not answer in time", error)
      : failed("source-unreachable", String(error), error);
  }
  const whole = new Uint8Array(length);
  for (const chunk of chunks.reverse()) whole.set(chunk, length -= chunk.length);
  return whole;
}

registerSource("releases+https", releaseServer);
registerSource("releases+http", releaseServer);
