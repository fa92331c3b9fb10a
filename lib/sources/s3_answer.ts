/**
 * What a service that speaks S3 says: pages of a listing, and errors. Values in, values out.
 *
 * A page is read strictly. One that is cut short, or says that there is more without saying where,
 * is no listing: it would hide newer eggs. An error is read as far as it can be.
 *
 * @module
 */

import type { XmlElement } from "./xml.ts";
import { childText, readXml, XmlError } from "./xml.ts";

/** An object, as a listing tells of it. */
export interface S3Object {
  key: string;
  sizeBytes: number;
  /** Changes when the object does. It is no digest: of what it is one depends on the upload. */
  etag: string | null;
  modifiedAt: string | null;
}

/** One page of a listing. */
export interface S3Page {
  objects: S3Object[];
  /** What asks for the next page; `null` when this is the last. */
  nextToken: string | null;
}

/** A text that should be a page and is none; the message says what was found. */
export class S3PageError extends Error {}

/** What a service says of a failure. */
export interface S3Error {
  /** Its word for it, such as `NoSuchKey`. */
  code: string | null;
  /** The region that it says the bucket is in. */
  region: string | null;
  /** The host that it says the bucket is at. */
  host: string | null;
  /** What its own records know the request by. */
  requestId: string | null;
}

/** Words that are shown: what else an error holds may be of the request, its token included. */
const SHOWN = /^[\w.:/+=-]{1,128}$/;

/**
 * Reads one answer to ListObjectsV2.
 *
 * @throws {S3PageError}
 */
export async function readS3Page(text: string): Promise<S3Page> {
  let root: XmlElement;
  try {
    root = await readXml(text);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new S3PageError(`found text that is no XML: ${error.message}`, { cause: error });
  }
  if (root.name !== "ListBucketResult") {
    const code = root.name === "Error" ? shown(childText(root, "Code")) : null;
    throw new S3PageError(
      `found the element ${root.name}${code === null ? "" : ` (${code})`}, wanted ListBucketResult`,
    );
  }
  // Asked for, but not every service does it: decoding what is not encoded would change names.
  const isEncoded = childText(root, "EncodingType") === "url";
  return {
    objects: root.children.filter(({ name }) => name === "Contents")
      .map((element) => readObject(element, isEncoded)),
    nextToken: readNextToken(root),
  };
}

function readObject(element: XmlElement, isEncoded: boolean): S3Object {
  const text = childText(element, "Key");
  const size = childText(element, "Size") ?? "";
  if (text === null || text === "") throw new S3PageError("found an object without a key");
  const key = isEncoded ? decoded(text) : text;
  if (!/^\d{1,15}$/.test(size)) throw new S3PageError(`found no size of ${JSON.stringify(key)}`);
  return {
    key,
    sizeBytes: Number(size),
    etag: childText(element, "ETag"),
    modifiedAt: childText(element, "LastModified"),
  };
}

/** As forms are encoded: some services write a space as `+`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new S3PageError(`found a key that is not encoded as a URL: ${JSON.stringify(text)}`);
  }
}

function readNextToken(root: XmlElement): string | null {
  const truncated = childText(root, "IsTruncated")?.trim();
  if (truncated === "false") return null;
  if (truncated !== "true") throw new S3PageError("found no IsTruncated");
  const token = childText(root, "NextContinuationToken");
  if (token !== null && token !== "") return token;
  throw new S3PageError("found a page that is not the last, without a token for the next one");
}

/** Reads what came with a status that tells of a failure. */
export async function readS3Error(headers: Headers, body: Uint8Array): Promise<S3Error> {
  let root: XmlElement | null = null;
  try {
    root = await readXml(new TextDecoder().decode(body));
  } catch { /* many failures come without a text, or with one of a proxy */ }
  const textOf = (name: string) =>
    root?.name === "Error" ? shown(childText(root, name)?.trim()) : null;
  return {
    code: textOf("Code"),
    region: shown(headers.get("x-amz-bucket-region")) ?? textOf("Region"),
    host: textOf("Endpoint"),
    requestId: textOf("RequestId") ?? shown(headers.get("x-amz-request-id")),
  };
}

function shown(text: string | null | undefined): string | null {
  return text !== null && text !== undefined && SHOWN.test(text) ? text : null;
}
