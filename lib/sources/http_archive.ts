/**
 * Bringing one archive over HTTP, the same way for every kind of source.
 *
 * @module
 */

import type { TransmuteError } from "../errors.ts";
import type { Artifact } from "../model/egg.ts";
import type { HttpAnswer, HttpQuestion } from "./http_question.ts";
import { addressText, failure } from "./http_question.ts";
import type { Fetched, SourceContext } from "./source.ts";

/** What `fetchArchive` asks, for the source to add its own limits and headers. */
export type ArchiveQuestion = Pick<
  HttpQuestion,
  "action" | "url" | "headers" | "maxBytes" | "tooLarge" | "resume"
>;

/**
 * Brings the bytes of an artifact, unproven. Continues a fetch that broke off earlier.
 *
 * @param ask asks over HTTP in the source's own way
 * @throws {TransmuteError} `egg-missing`, `size-mismatch`, and what `ask` throws
 */
export async function fetchArchive(
  artifact: Artifact,
  { source, maxDownloadBytes }: { source: string } & Pick<SourceContext, "maxDownloadBytes">,
  ask: (question: ArchiveQuestion) => Promise<HttpAnswer>,
): Promise<Fetched & { headers: Headers }> {
  const url = new URL(artifact.locator);
  const about = { action: `fetch ${addressText(url)}`, source };
  const { sizeBytes = maxDownloadBytes } = artifact;
  if (sizeBytes > maxDownloadBytes) {
    const found = `it has ${sizeBytes} bytes, wanted at most ${maxDownloadBytes}`;
    throw failure(about, "size-mismatch", found);
  }
  const { status, body, headers, resumed } = await ask({
    action: about.action,
    url,
    // An archive is gzip already, and its digest is that of the bytes as they are stored.
    headers: { "accept": "*/*", "accept-encoding": "identity" },
    maxBytes: sizeBytes,
    tooLarge: "size-mismatch",
    resume: { key: addressText(url), condition: "if-range" },
  });
  if (status !== 200) {
    throw failure(about, "egg-missing", `${url.host} answered ${status}`);
  }
  if (headers.has("content-encoding") && isGzipName(url) && !isGzip(body)) {
    throw expandedOnTheWay(about, url, headers);
  }
  return { bytes: body, headers, resumed };
}

function isGzipName({ pathname }: URL): boolean {
  return pathname.endsWith(".tgz") || pathname.endsWith(".gz");
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Node and Bun expand what a server calls encoded, asked for or not: the archive is lost then. */
function expandedOnTheWay(
  about: { action: string; source: string },
  url: URL,
  headers: Headers,
): TransmuteError {
  return failure(
    about,
    "source-unreachable",
    `${url.host} sent it with the Content-Encoding ${headers.get("content-encoding")}, wanted none`,
    { hint: "Let the web server send archives without a Content-Encoding" },
  );
}
