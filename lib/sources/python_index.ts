/**
 * What an index of Python projects answers: the Simple API as JSON (PEP 691, 700) or as HTML
 * (PEP 503), cut down to what is used. Pure.
 *
 * @module
 */

import type { Release } from "../model/egg.ts";
import type { Json } from "../model/json.ts";
import { isObject } from "../model/json.ts";
import { mayBePythonFile, nameInAddress } from "../model/python_file.ts";
import { readHtmlPage } from "./html_page.ts";
import type { PythonEggFile } from "./python_files.ts";
import { pythonReleaseOf } from "./python_files.ts";

/** What is kept of one file. */
export interface IndexedPythonFile {
  name: string;
  url: string;
  sizeBytes?: number;
  /** As `algorithm:hex`. */
  digests: string[];
  requiresPython?: string;
  yanked?: string;
  /** Digests of its metadata, where that can be had apart. */
  metadata?: string[];
  /** ISO 8601. */
  uploadedAt?: string;
  /** Where the record of who published it is (PEP 740). */
  provenance?: string;
}

/** An answer that is none; the message says what was found. */
export class PythonIndexError extends Error {}

/** The status of a project that is not to be installed (PEP 792). */
const QUARANTINED = "quarantined";
/** More files than this in one project are taken for an attack. */
const MAX_FILES = 100_000;
/** Digests that prove anything, and their length in hexadecimal. */
const DIGESTS: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };

function digestsOf(hashes: unknown): string[] {
  if (!isObject(hashes)) return [];
  return Object.entries(hashes)
    .filter(([algorithm, value]) =>
      typeof value === "string" && value.length === DIGESTS[algorithm] && /^[0-9a-f]+$/i.test(value)
    )
    .map(([algorithm, value]) => `${algorithm}:${String(value).toLowerCase()}`);
}

/**
 * Reads the JSON that lists a project.
 *
 * @param url of the answer, after redirects: addresses of files are relative to it
 * @throws {PythonIndexError}
 */
export function readIndexJson(text: string, url: URL): IndexedPythonFile[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new PythonIndexError(`found text that is not JSON (${text.length} characters)`);
  }
  if (!isObject(answer) || !Array.isArray(answer.files)) {
    throw new PythonIndexError("found no list of files");
  }
  assertVersion(isObject(answer.meta) ? answer.meta["api-version"] : undefined);
  assertCount(answer.files);
  const status = isObject(answer["project-status"]) ? answer["project-status"].status : undefined;
  if (status === QUARANTINED) return [];
  return answer.files.flatMap((file) => isObject(file) ? readFile(file, url) ?? [] : []);
}

function assertVersion(version: unknown): void {
  if (typeof version === "string" && /^1\./.test(version)) return;
  throw new PythonIndexError(
    `found the version ${JSON.stringify(version)} of the interface, wanted 1`,
  );
}

function assertCount({ length }: unknown[]): void {
  if (length <= MAX_FILES) return;
  throw new PythonIndexError(`found ${length} files, wanted at most ${MAX_FILES}`);
}

/** One file; `null` for what has no name or address. */
function readFile(file: Json, base: URL): IndexedPythonFile | null {
  const { filename, url, size, yanked } = file;
  if (typeof filename !== "string" || typeof url !== "string") return null;
  const address = addressOf(url, base);
  if (address === null) return null;
  // PEP 714 renamed it; between the two, the largest index wrote it with a prefix that is HTML's.
  const metadata = file["core-metadata"] ?? file["dist-info-metadata"] ??
    file["data-dist-info-metadata"];
  const [requires, uploaded] = [file["requires-python"], file["upload-time"]];
  return {
    name: filename,
    url: address.href,
    ...(Number.isSafeInteger(size) && size as number > 0 ? { sizeBytes: size as number } : {}),
    digests: [...new Set([...digestsOf(file.hashes), ...fragmentDigests(url)])],
    ...(typeof requires === "string" && requires !== "" ? { requiresPython: requires } : {}),
    ...(yanked === true || (typeof yanked === "string" && yanked !== "")
      ? { yanked: typeof yanked === "string" ? yanked : "" }
      : {}),
    ...(metadata ? { metadata: digestsOf(metadata) } : {}),
    ...(typeof uploaded === "string" ? { uploadedAt: uploaded } : {}),
    ...provenanceOf(file.provenance, base),
  };
}

function provenanceOf(value: unknown, base: URL): Pick<IndexedPythonFile, "provenance"> {
  const url = typeof value === "string" ? addressOf(value, base) : null;
  return url === null ? {} : { provenance: url.href };
}

function fragmentDigests(url: string): string[] {
  const fragment = url.includes("#") ? url.slice(url.indexOf("#") + 1) : "";
  return digestsOf(Object.fromEntries(new URLSearchParams(fragment)));
}

/** The address of a file, without credentials and fragment; `null` for what is none. */
function addressOf(text: string, base: URL): URL | null {
  if (!URL.canParse(text, base)) return null;
  const url = new URL(text, base);
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  url.username = url.password = url.hash = "";
  return url;
}

/**
 * Reads the page of links that lists a project.
 *
 * @throws {PythonIndexError} for a page that is none, such as a network's request to sign in
 */
export function readIndexHtml(html: string, url: URL): IndexedPythonFile[] {
  const page = readHtmlPage(html);
  if (page.asksForPassword) throw new PythonIndexError("found a page that asks for a password");
  const base = page.base !== null && URL.canParse(page.base, url) ? new URL(page.base, url) : url;
  const version = page.meta.get("pypi:repository-version");
  if (version !== undefined) assertVersion(version);
  assertCount(page.links);
  let isListing = version !== undefined ||
    page.headings.some((heading) =>
      /links for|simple index|index of|directory listing/i.test(heading)
    );
  const files = page.links.flatMap(({ href, text, attributes }) => {
    const address = addressOf(href, base);
    if (address === null) return [];
    const name = nameInAddress(address.href);
    isListing ||= name !== "" && name === text;
    const metadata = attributes["data-core-metadata"] ?? attributes["data-dist-info-metadata"];
    const [algorithm = "", value = ""] = (metadata ?? "").split("=", 2);
    const requires = attributes["data-requires-python"];
    return [{
      // As installers read it: some servers cut long names short where a page shows them.
      name: mayBePythonFile(name) ? name : text,
      url: address.href,
      digests: fragmentDigests(href),
      ...(requires ? { requiresPython: requires } : {}),
      ...(attributes["data-yanked"] === undefined ? {} : { yanked: attributes["data-yanked"] }),
      ...(metadata === undefined ? {} : { metadata: digestsOf({ [algorithm]: value }) }),
    }];
  });
  if (!isListing) throw new PythonIndexError("found a page that lists no files of a project");
  return page.meta.get("pypi:project-status") === QUARANTINED ? [] : files;
}

/** Files that were kept as JSON; `null` for what is damaged, or was kept in another form. */
export function readKeptFiles(text: string): IndexedPythonFile[] | null {
  let files: unknown;
  try {
    files = JSON.parse(text);
  } catch {
    return null;
  }
  const areFiles = Array.isArray(files) &&
    files.every((file) =>
      isObject(file) && typeof file.name === "string" && typeof file.url === "string" &&
      Array.isArray(file.digests)
    );
  return areFiles ? files as IndexedPythonFile[] : null;
}

/** The releases that the files of an index are of `project` (normalised). */
export function releasesOfIndex(project: string, files: IndexedPythonFile[]): Release[] {
  return files.flatMap(({ url, metadata, uploadedAt, provenance, ...file }) => {
    const publishedAt = uploadedAt === undefined ? NaN : Date.parse(uploadedAt);
    const egg: PythonEggFile = {
      ...file,
      locator: url,
      ...(metadata === undefined
        ? {}
        : { metadata: { locator: `${url}.metadata`, digests: metadata } }),
      ...(Number.isNaN(publishedAt) ? {} : { publishedAt }),
    };
    const release = pythonReleaseOf(project, egg);
    if (release === null) return [];
    if (provenance !== undefined) {
      release.artifact.record = { signed: file.name, signatures: [], attestations: provenance };
    }
    return [release];
  });
}
