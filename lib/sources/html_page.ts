/**
 * The links of an HTML page, with what stands around them.
 *
 * @module
 */

import { Parser } from "npm:htmlparser2@12.0.0";

/** One `<a href>`. */
export interface HtmlLink {
  /** As the page has it. */
  href: string;
  /** What it reads. */
  text: string;
  /** What follows it, up to the next link: in listings of folders, a time and a size. */
  beside: string;
  /** Its attributes, names in lower case. */
  attributes: Record<string, string>;
}

/** What is read of a page. */
export interface HtmlPage {
  /** The address that its links are relative to, if it names one. */
  base: string | null;
  /** What its title and its headings of the first rank read. */
  headings: string[];
  links: HtmlLink[];
  /** What its `<meta>` elements say, by their names; of several of one name, the first. */
  meta: ReadonlyMap<string, string>;
  /** Whether it asks for a password. */
  asksForPassword: boolean;
}

/** Reads a page, as leniently as browsers do. */
export function readHtmlPage(html: string): HtmlPage {
  const meta = new Map<string, string>();
  const page: HtmlPage = { base: null, headings: [], links: [], meta, asksForPassword: false };
  let link: HtmlLink | null = null;
  let heading: string | null = null;
  let linkIsOpen = false;
  let hidden = false;
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === "script" || name === "style") hidden = true;
      else if (name === "title" || name === "h1") heading = "";
      else if (name === "base") page.base ??= attributes.href ?? null;
      else if (name === "meta" && attributes.name !== undefined && !meta.has(attributes.name)) {
        meta.set(attributes.name, attributes.content ?? "");
      } else if (name === "input" && attributes.type?.toLowerCase() === "password") {
        page.asksForPassword = true;
      } else if (name === "a" && attributes.href !== undefined) {
        link = { href: attributes.href, text: "", beside: "", attributes: { ...attributes } };
        linkIsOpen = true;
        page.links.push(link);
      }
    },
    ontext(text) {
      if (hidden) return;
      if (heading !== null) heading += text;
      if (link === null) return;
      if (linkIsOpen) link.text += text;
      else link.beside += text;
    },
    onclosetag(name) {
      if (name === "script" || name === "style") hidden = false;
      else if (name === "a") linkIsOpen = false;
      else if ((name === "title" || name === "h1") && heading !== null) {
        page.headings.push(plain(heading));
        heading = null;
      }
    },
  });
  parser.end(html);
  for (const found of page.links) {
    found.text = plain(found.text);
    found.beside = plain(found.beside);
  }
  return page;
}

function plain(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
