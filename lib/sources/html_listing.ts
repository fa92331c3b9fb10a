/**
 * The files of a folder, from the page that a web server shows of it: the listing of Apache,
 * nginx, Caddy, Python and others, or a page of links with digests, as package indexes have it
 * (PEP 503).
 *
 * @module
 */

import { archiveStem } from "../model/egg.ts";
import type { EggFile } from "./egg_files.ts";
import { isEggFile } from "./egg_files.ts";
import type { HtmlLink, HtmlPage } from "./html_page.ts";
import { readHtmlPage } from "./html_page.ts";

/** What a page lists. */
export interface HtmlListing {
  files: EggFile[];
  /** Folders in the folder, as PEP 503 has one for each project: by name, their addresses. */
  pages: Record<string, string>;
}

/** A page that lists no folder; the message says what was found. */
export class HtmlListingError extends Error {}

/** How servers head the listing of a folder, also of an empty one. */
const LISTING_HEADING = /^(?:index of|directory listing|simple (?:package )?index|links for)\b/i;
/** The digests that a link's fragment may give; others are too weak to prove anything. */
const FRAGMENT_DIGEST = /^(sha256|sha384|sha512)=(.*)$/;

/**
 * Reads the listing of a folder.
 *
 * @param url where the page is from, after redirects
 * @throws {HtmlListingError} for a page that is none, such as a network's request to sign in
 */
export function readHtmlListing(html: string, url: URL): HtmlListing {
  if (/<html\b/i.test(html) && !/<\/html\b/i.test(html)) {
    throw new HtmlListingError(`found a page that breaks off after ${html.length} characters`);
  }
  const page = readHtmlPage(html);
  const base = page.base !== null && URL.canParse(page.base, url) ? new URL(page.base, url) : url;
  const listing: HtmlListing = { files: [], pages: {} };
  let looksLikeOne = page.headings.some((heading) => LISTING_HEADING.test(heading));
  for (const link of page.links) {
    // Caddy heads the listing of an empty folder with its name alone.
    looksLikeOne ||= link.href === "../" || link.href === "..";
    const target = URL.canParse(link.href, base) ? new URL(link.href, base) : null;
    const name = target === null ? null : nameOf(target);
    if (target === null || name === null) continue;
    looksLikeOne ||= link.text !== "" && (link.text === name || link.text === `${name}/`);
    if (isChildFolder(target, base)) listing.pages[name] ??= target.href;
    else if (isEggFile(name) && link.attributes["data-yanked"] === undefined) {
      listing.files.push(fileOf(name, target, link));
    }
  }
  const isListing = looksLikeOne || listing.files.length > 0;
  if (page.asksForPassword || !isListing) throw new HtmlListingError(describe(page));
  return listing;
}

function describe({ headings, asksForPassword }: HtmlPage): string {
  const title = headings.find((heading) => heading !== "");
  const called = title === undefined ? "" : ` ${JSON.stringify(title.slice(0, 80))}`;
  return `found a page${called} that ${
    asksForPassword ? "asks for a password" : "lists no folder"
  }`;
}

/** The name of what an address leads to; `null` where it leads to nothing with a name. */
function nameOf(url: URL): string | null {
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  const segment = url.pathname.replace(/\/$/, "").split("/").at(-1)!;
  try {
    return segment === "" ? null : decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** Whether an address is that of a folder which lies directly in the one at `base`. */
function isChildFolder(url: URL, base: URL): boolean {
  const folder = base.pathname.slice(0, base.pathname.lastIndexOf("/") + 1);
  return url.origin === base.origin && url.search === "" && url.pathname.startsWith(folder) &&
    /^[^/]+\/$/.test(url.pathname.slice(folder.length));
}

function fileOf(name: string, target: URL, { beside }: HtmlLink): EggFile {
  const digests = target.hash.slice(1).split("&").flatMap((part) => {
    const match = FRAGMENT_DIGEST.exec(part);
    return match === null ? [] : [`${match[1]}:${match[2].toLowerCase()}`];
  });
  target.hash = "";
  target.username = target.password = "";
  return {
    name,
    locator: target.href,
    ...(digests.length === 0 ? {} : { digests }),
    ...(beside === "" ? {} : { validator: beside }),
  };
}

/** The address of the page that is a project's own, if the folder has one. */
export function pageOf({ pages }: HtmlListing, project: string): string | null {
  const normalized = project.toLowerCase().replace(/[-_.]+/g, "-");
  const name = [project, archiveStem(project), normalized]
    .find((candidate) => Object.hasOwn(pages, candidate));
  return name === undefined ? null : pages[name];
}
