/**
 * A repository in a bucket, at AWS or any service that speaks S3. Credentials are found where the
 * AWS SDK looks for them, temporary ones among them, as CI gives them.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { HttpAnswer } from "../sources/http_question.ts";
import { readS3Address } from "../sources/s3_address.ts";
import type { S3Options } from "../sources/s3_address.ts";
import { readS3Page } from "../sources/s3_answer.ts";
import type { S3Question, S3Surroundings } from "../sources/s3_bucket.ts";
import { S3Bucket } from "../sources/s3_bucket.ts";
import type { SourceContext, StoredListing } from "../sources/source.ts";
import { digestHex } from "../trust/digest.ts";
import type { Destination, Lifetime } from "./destination.ts";
import { contentType } from "./destination.ts";

/** What one request may take, repetitions included. */
const REQUEST_MS = 10 * 60 * 1000;
/** More than a page of a thousand objects has. */
const MAX_PAGE_BYTES = 16 * 1024 ** 2;
/** There is one already, or somebody is writing it at this moment. */
const PRESENT = [409, 412];
/** Only what changes is asked for anew; what does not may be kept for ever. */
const CACHE_CONTROL: Record<Lifetime, string> = {
  immutable: "public, max-age=31536000, immutable",
  changing: "no-cache",
};

/**
 * Opens a folder in a bucket as a destination.
 *
 * @param address `s3://bucket/prefix`, with options after a `?`
 * @throws {TransmuteError} `option-invalid`; with each request `source-denied`,
 * `source-unreachable`, `source-timeout`, `permission-missing`
 */
export function s3Destination(
  address: string,
  options: S3Options = {},
  surroundings: S3Surroundings & Partial<Pick<SourceContext, "fetch">> = {},
): Destination {
  const folder = readS3Address(address, options);
  const { id, prefix } = folder;
  const bucket = new S3Bucket(folder, surroundings);
  // What is learnt of the bucket, such as its region, lasts as long as this program.
  const learnt = new Map<string, StoredListing>();
  const listings = {
    read: (key: string) => learnt.get(key) ?? null,
    write: (key: string, listing: StoredListing) => void learnt.set(key, listing),
  };
  const ask = async (question: S3Question): Promise<HttpAnswer> =>
    await bucket.ask(question, {
      fetch: surroundings.fetch ?? fetch,
      signal: AbortSignal.timeout(REQUEST_MS),
      listings,
      maxDownloadBytes: question.maxBytes,
    });

  async function put(
    path: string,
    bytes: Uint8Array,
    lifetime: Lifetime,
    conditions: Record<string, string>,
  ): Promise<boolean> {
    const answer = await ask({
      action: `write ${id}${path}`,
      method: "PUT",
      key: prefix + path,
      body: bytes,
      contentSha256: await digestHex("sha256", bytes),
      headers: {
        "content-type": contentType(path),
        "cache-control": CACHE_CONTROL[lifetime],
        ...conditions,
      },
      maxBytes: MAX_PAGE_BYTES,
      tooLarge: "listing-invalid",
      judged: PRESENT,
    });
    if (answer.status === 200) return true;
    if (PRESENT.includes(answer.status)) return false;
    throw refused(path, answer);
  }

  function refused(path: string, { status, url }: HttpAnswer): TransmuteError {
    return new TransmuteError(
      "source-unreachable",
      `Cannot write ${id}${path}: ${url.host} answered ${status}`,
      { source: id },
    );
  }

  return {
    id,

    async read(path, maxBytes) {
      const answer = await ask({
        action: `read ${id}${path}`,
        key: prefix + path,
        headers: {},
        maxBytes,
        tooLarge: "size-mismatch",
      });
      return answer.status === 200 ? answer.body : null;
    },

    writeIfAbsent: (path, bytes) => put(path, bytes, "immutable", { "if-none-match": "*" }),

    async write(path, bytes, lifetime) {
      // Nothing was asked of what is there: it is being written by somebody else.
      if (!await put(path, bytes, lifetime, {}) && !await put(path, bytes, lifetime, {})) {
        throw new TransmuteError(
          "publish-conflict",
          `Cannot write ${id}${path}: somebody else writes it at this moment`,
          { source: id, hint: "Run the same command again" },
        );
      }
    },

    async list(below) {
      const names: string[] = [];
      const start = `${prefix}${below}/`;
      let token: string | null = null;
      do {
        const answer: HttpAnswer = await ask({
          action: `list ${id}${below}`,
          key: "",
          query: {
            "list-type": "2",
            "delimiter": "/",
            "encoding-type": "url",
            "prefix": start,
            ...(token === null ? {} : { "continuation-token": token }),
          },
          headers: { accept: "application/xml" },
          maxBytes: MAX_PAGE_BYTES,
          tooLarge: "listing-invalid",
        });
        const page = await readS3Page(new TextDecoder().decode(answer.body));
        names.push(...page.objects.map(({ key }) => key.slice(start.length)));
        token = page.nextToken;
      } while (token !== null);
      return names.filter((name) => name !== "" && !name.includes("/"));
    },

    async remove(path) {
      await ask({
        action: `remove ${id}${path}`,
        method: "DELETE",
        key: prefix + path,
        headers: {},
        maxBytes: MAX_PAGE_BYTES,
        tooLarge: "listing-invalid",
        judged: [204],
      });
    },
  };
}
