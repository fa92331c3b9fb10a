/**
 * Asking a web server what is in a folder: for an index, or for a page that lists it.
 *
 * An answer that is neither is never taken for an empty folder. A network that wants its users to
 * sign in answers every question with a page, and "no such project" would send the question on to
 * the next source.
 *
 * @module
 */

import type { TransmuteError } from "../errors.ts";
import { askConditionally } from "./conditional.ts";
import type { IndexedFile } from "./folder_index.ts";
import { IndexError, readFolderIndex } from "./folder_index.ts";
import type { HtmlListing } from "./html_listing.ts";
import type { HttpAnswer, HttpQuestion } from "./http_question.ts";
import { addressText, failure } from "./http_question.ts";
import type { SourceContext } from "./source.ts";

/** A listing larger than this is not read to its end; half a million files have room in it. */
export const MAX_LISTING_BYTES = 128 * 1024 * 1024;

/** How much of a text tells a page from something else. */
const BEGINNING = 2000;
const HTML = /<(?:!doctype html|html|head|title|body|h1|pre|a)\b/i;

/** Asks one folder, in one update. */
export interface FolderAsker extends Pick<SourceContext, "listings"> {
  /** The source's id, for errors. */
  source: string;
  ask(question: Omit<HttpQuestion, "source" | "configured">): Promise<HttpAnswer>;
}

/** An answer, and whether it merely confirms an earlier one. */
export interface Listed<T> {
  value: T;
  cached: boolean;
}

/**
 * A folder's index; `null` when it has none, or an `index.json` of another kind.
 *
 * @throws {TransmuteError} `listing-invalid`, and what `httpGet` throws
 */
export async function askIndex(
  asker: FolderAsker,
  url: URL,
): Promise<Listed<IndexedFile[]> | null> {
  const index = await askListing(asker, url, {
    accept: "application/json",
    // Where files may be read but not listed, one that is not there is forbidden.
    judged: [403],
    read(text) {
      try {
        return { files: readFolderIndex(text) };
      } catch (error) {
        if (!(error instanceof IndexError)) throw error;
        const { message } = error;
        throw isHtml(text)
          ? intercepted(asker, url, "found an HTML page where an index is due")
          : invalid(
            asker,
            url,
            `it is no index: ${message}`,
            "Make it anew: transmute index <folder>",
          );
      }
    },
  });
  return index === null || index.value.files === null
    ? null
    : { value: index.value.files, cached: index.cached };
}

/**
 * What a page lists; `null` when there is nothing at its address.
 *
 * @throws {TransmuteError} `listing-invalid`, and what `httpGet` throws
 */
export async function askPage(asker: FolderAsker, url: URL): Promise<Listed<HtmlListing> | null> {
  const { HtmlListingError, readHtmlListing } = await import("./html_listing.ts");
  return await askListing(asker, url, {
    accept: "text/html, application/xhtml+xml; q=0.9",
    read(text, from) {
      if (!isHtml(text)) {
        const isBucket = text.slice(0, BEGINNING).includes("<ListBucketResult");
        throw isBucket
          ? invalid(asker, url, "found the listing of a bucket", 'Write its address as "s3://…"')
          : invalid(asker, url, "found text that is not HTML");
      }
      try {
        return readHtmlListing(text, from);
      } catch (error) {
        if (!(error instanceof HtmlListingError)) throw error;
        throw intercepted(asker, url, error.message);
      }
    },
  });
}

async function askListing<T>(
  asker: FolderAsker,
  url: URL,
  { accept, judged, read }: {
    accept: string;
    judged?: number[];
    read(text: string, from: URL): T;
  },
): Promise<Listed<T> | null> {
  const about = { action: `list ${addressText(url)}`, source: asker.source, url };
  const found = await askConditionally<T>({
    ...about,
    ask: (conditions) =>
      asker.ask({
        action: about.action,
        url,
        headers: { accept, ...conditions },
        maxBytes: MAX_LISTING_BYTES,
        tooLarge: "listing-invalid",
        ...(judged === undefined ? {} : { judged }),
      }),
    read(answer) {
      const value = read(new TextDecoder().decode(answer.body), answer.url);
      return { value, keep: JSON.stringify(value) };
    },
    readKept(text) {
      try {
        return JSON.parse(text);
      } catch {
        return null;
      }
    },
  }, asker);
  return "answer" in found ? null : found;
}

function isHtml(text: string): boolean {
  return HTML.test(text.slice(0, BEGINNING));
}

function invalid(asker: FolderAsker, url: URL, found: string, hint?: string): TransmuteError {
  const about = { action: `list ${addressText(url)}`, source: asker.source };
  return failure(about, "listing-invalid", found, hint === undefined ? {} : { hint });
}

/** For an answer that is likely not the server's own. */
function intercepted(asker: FolderAsker, url: URL, found: string): TransmuteError {
  return invalid(
    asker,
    url,
    found,
    "If this network asks its users to sign in, do that first; if the server lists no folders, " +
      "make an index: transmute index <folder>",
  );
}
