/**
 * Listing a folder in a bucket, page by page, without the folders below it.
 *
 * @module
 */

import type { EggFile } from "./egg_files.ts";
import { isEggFile } from "./egg_files.ts";
import type { HttpAnswer } from "./http_question.ts";
import { failure } from "./http_question.ts";
import type { S3Address } from "./s3_address.ts";
import type { S3Page } from "./s3_answer.ts";
import { readS3Page, S3PageError } from "./s3_answer.ts";
import type { S3Question } from "./s3_bucket.ts";
import { objectLocator } from "./s3_endpoint.ts";

/** A page has a thousand objects at most. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024;
/** A folder of more pages is not listed to its end: it needs an index. */
const MAX_PAGES = 1_000;

/**
 * The eggs in a folder, in no particular order.
 *
 * @param ask asks the bucket
 * @throws {TransmuteError} `listing-invalid`, and what `ask` throws
 */
export async function listS3Folder(
  { id, bucket, prefix }: S3Address,
  ask: (question: S3Question) => Promise<HttpAnswer>,
): Promise<EggFile[]> {
  const action = `list ${id}`;
  const invalid = (found: string, hint?: string) =>
    failure({ action, source: id }, "listing-invalid", found, hint === undefined ? {} : { hint });
  const files: EggFile[] = [];
  const tokens = new Set<string>();
  for (let token: string | null = null, pages = 0;; pages++) {
    if (pages === MAX_PAGES) {
      throw invalid(
        `it has more than ${MAX_PAGES} pages`,
        "Make an index of it: transmute index <folder>",
      );
    }
    const answer: HttpAnswer = await ask({
      action,
      key: "",
      query: {
        "list-type": "2",
        "delimiter": "/",
        "encoding-type": "url",
        ...(prefix === "" ? {} : { prefix }),
        ...(token === null ? {} : { "continuation-token": token }),
      },
      headers: { accept: "application/xml" },
      maxBytes: MAX_PAGE_BYTES,
      tooLarge: "listing-invalid",
    });
    if (answer.status !== 200) throw invalid(`${answer.url.host} answered ${answer.status}`);
    const page = await readPage(answer, invalid);
    for (const object of page.objects) {
      if (!object.key.startsWith(prefix)) {
        throw invalid(
          `${answer.url.host} listed ${JSON.stringify(object.key)}, which is elsewhere`,
        );
      }
      const name = object.key.slice(prefix.length);
      // Not every service leaves out what is below.
      if (name.includes("/") || !isEggFile(name)) continue;
      const validator = object.etag ?? object.modifiedAt;
      files.push({
        name,
        locator: objectLocator(bucket, object.key),
        sizeBytes: object.sizeBytes,
        ...(validator === null ? {} : { validator }),
      });
    }
    token = page.nextToken;
    if (token === null) return files;
    if (tokens.has(token)) throw invalid(`${answer.url.host} lists the same page again and again`);
    tokens.add(token);
  }
}

async function readPage(
  { body, url }: HttpAnswer,
  invalid: (found: string) => Error,
): Promise<S3Page> {
  try {
    return await readS3Page(new TextDecoder().decode(body));
  } catch (error) {
    if (!(error instanceof S3PageError)) throw error;
    throw invalid(`${url.host} answered what is no listing: ${error.message}`);
  }
}
