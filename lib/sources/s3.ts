/**
 * A folder in a bucket as a source, at AWS or any service that speaks S3. Its files are known by
 * its `index.json`, or else by the bucket's listing.
 *
 * @module
 */

import type { Artifact } from "../model/egg.ts";
import { filesOfIndex, INDEX_NAME } from "./folder_index.ts";
import { fetchArchive } from "./http_archive.ts";
import { readHttpFile } from "./http_file.ts";
import { askIndex } from "./http_listing.ts";
import { fetchWithCompanion, FolderListing, oncePerUpdate } from "./network_folder.ts";
import type { S3Options } from "./s3_address.ts";
import { readS3Address } from "./s3_address.ts";
import type { S3Surroundings } from "./s3_bucket.ts";
import { S3Bucket } from "./s3_bucket.ts";
import { keyOfLocator, objectLocator } from "./s3_endpoint.ts";
import { listS3Folder } from "./s3_listing.ts";
import type { Fetched, Source, SourceContext } from "./source.ts";

/**
 * Opens a folder in a bucket.
 *
 * @param address `s3://bucket/prefix`
 * @param options what the address does not say
 * @throws {TransmuteError} `option-invalid`
 *
 * @example
 * ```ts
 * import { s3Folder } from "./s3.ts";
 *
 * const source = s3Folder("s3://eggs/stable", { region: "eu-west-1" });
 * if (source.id !== "s3://eggs/stable/") throw new Error("never");
 * ```
 */
export function s3Folder(
  address: string,
  options: S3Options = {},
  surroundings: S3Surroundings = {},
): Source {
  const folder = readS3Address(address, options);
  const { id, bucket, prefix } = folder;
  const asked = new S3Bucket(folder, surroundings);

  const listFolder = oncePerUpdate(async (context): Promise<FolderListing> => {
    const key = prefix + INDEX_NAME;
    const index = await askIndex({
      source: id,
      listings: context.listings,
      ask: ({ url: _url, ...question }) => asked.ask({ ...question, key }, context),
    }, new URL(objectLocator(bucket, key)));
    if (index !== null) {
      const files = filesOfIndex(index.value, new URL(objectLocator(bucket, prefix)));
      return new FolderListing(files, index.cached);
    }
    const files = await listS3Folder(folder, (question) => asked.ask(question, context));
    return new FolderListing(files, false);
  });

  const bring = async (file: Artifact, limits: SourceContext): Promise<Fetched> => {
    const about = { source: id, maxDownloadBytes: limits.maxDownloadBytes };
    const { headers, ...fetched } = await fetchArchive(file, about, (question) => {
      const { url, resume, ...rest } = question;
      const checksum: Record<string, string> = asked.hasChecksums(limits)
        ? { "x-amz-checksum-mode": "ENABLED" }
        : {};
      return asked.ask({
        ...rest,
        key: keyOfLocator(url.href),
        headers: { ...rest.headers, ...checksum },
        ...(resume === undefined ? {} : { resume: { ...resume, condition: "if-match" } }),
      }, limits);
    });
    // What was put together from several answers has a header of a part.
    const digests = fetched.resumed ? [] : checksumDigests(headers);
    return { ...fetched, ...(digests.length === 0 ? {} : { digests }) };
  };

  return {
    id,
    kind: "network",
    ecosystems: ["js", "python"],

    async list(project, context, ecosystem) {
      const files = await listFolder(context);
      const releases = files.releases(project, ecosystem);
      return { listing: { project, releases, tags: {} }, cached: files.cached };
    },

    files: {
      locate: (path) => Promise.resolve(objectLocator(bucket, prefix + path)),
      read: (question, context) =>
        readHttpFile(
          question,
          { source: id, base: new URL(objectLocator(bucket, prefix)) },
          ({ url, ...rest }) => asked.ask({ ...rest, key: keyOfLocator(url.href) }, context),
        ),
    },

    fetch: (artifact, context) => fetchWithCompanion(artifact, context, bring),

    pythonMetadata: async ({ python }, context) => {
      const { locator } = python!.metadata!;
      return (await bring({ locator, digests: [], validator: "" }, context)).bytes;
    },
  };
}

/** The digest that the service has of the whole object, if it is one that we know. */
function checksumDigests(headers: Headers): string[] {
  const checksum = headers.get("x-amz-checksum-sha256");
  // A composite is a digest of the digests of parts.
  if (checksum === null || checksum.includes("-")) return [];
  if (headers.get("x-amz-checksum-type")?.toUpperCase() === "COMPOSITE") return [];
  let hex = "";
  try {
    for (const byte of atob(checksum)) hex += byte.charCodeAt(0).toString(16).padStart(2, "0");
  } catch { /* no digest matches no bytes */ }
  return [`sha256:${hex}`];
}
