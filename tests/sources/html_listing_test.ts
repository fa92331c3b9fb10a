import assert from "node:assert/strict";
import { test } from "node:test";
import { HtmlListingError, pageOf, readHtmlListing } from "../../lib/sources/html_listing.ts";
import { LISTED, LISTING_PAGES } from "../fixtures/listing_pages.ts";

const FOLDER = new URL("https://eggs.example/eggs/");

const names = (html: string) => readHtmlListing(html, FOLDER).files.map(({ name }) => name);

test("readHtmlListing() reads the listings of web servers, full and empty", () => {
  for (const [server, { full, empty }] of Object.entries(LISTING_PAGES)) {
    const { files } = readHtmlListing(full, FOLDER);
    assert.deepEqual([...new Set(files.map(({ name }) => name))], LISTED, server);
    for (const { name, locator } of files) {
      const url = new URL(locator);
      assert.equal(url.origin + url.pathname.slice(0, 6), "https://eggs.example/eggs/", server);
      assert.equal(decodeURIComponent(url.pathname.slice(6)), name, server);
      assert.equal(url.search + url.hash, "");
    }
    assert.deepEqual(readHtmlListing(empty, FOLDER).files, [], server);
  }
});

test("readHtmlListing() takes a file's time and size for its validator", () => {
  for (const server of ["nginx", "Apache, fancy", "Caddy"]) {
    const { files } = readHtmlListing(LISTING_PAGES[server].full, FOLDER);
    const validators = new Map(files.map(({ name, validator }) => [name, validator]));
    const [one, , other] = LISTED.map((name) => validators.get(name));
    assert.match(one!, /300/, server);
    assert.notEqual(one, other, server);
  }
});

test("readHtmlListing() lists the folders in the folder apart", () => {
  const { pages } = readHtmlListing(LISTING_PAGES.nginx.full, FOLDER);
  assert.deepEqual(pages, { old: "https://eggs.example/eggs/old/" });
});

/** A page of a package index, by PEP 503. */
function indexPage(links: string): string {
  return `<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0">` +
    `<title>Links for hello</title></head><body><h1>Links for hello</h1>${links}</body></html>`;
}

test("readHtmlListing() takes digests from fragments, and leaves yanked files out", () => {
  const [hex256, hex512] = ["AB".repeat(32), "cd".repeat(64)];
  const { files } = readHtmlListing(
    indexPage(`
      <a href="../../files/hello-1.0.0.tgz#sha256=${hex256}">hello-1.0.0.tgz</a><br />
      <a href="https://files.example/x/hello-1.1.0.tgz#sha512=${hex512}&egg=hello">1.1.0</a>
      <a href="hello-1.2.0.tgz#md5=d41d8cd98f00b204e9800998ecf8427e">only a weak one</a>
      <a href="hello-1.3.0.tgz#sha256=nonsense">what is none</a>
      <a href="hello-1.4.0.tgz#sha256=${hex256}" data-yanked="broken">yanked</a>
      <a href="hello-1.5.0.tgz#sha256=${hex256}" data-yanked>yanked</a>
      <a href="hello-1.6.0.tgz?token=secret#sha256=${hex256}">with a question</a>`),
    new URL("https://eggs.example/simple/hello/"),
  );
  assert.deepEqual(
    files.map(({ name, locator, digests }) => [name, locator, digests]),
    [
      ["hello-1.0.0.tgz", "https://eggs.example/files/hello-1.0.0.tgz", [
        `sha256:${hex256.toLowerCase()}`,
      ]],
      ["hello-1.1.0.tgz", "https://files.example/x/hello-1.1.0.tgz", [`sha512:${hex512}`]],
      ["hello-1.2.0.tgz", "https://eggs.example/simple/hello/hello-1.2.0.tgz", undefined],
      // It will match no bytes, so only this release is lost.
      ["hello-1.3.0.tgz", "https://eggs.example/simple/hello/hello-1.3.0.tgz", ["sha256:nonsense"]],
      ["hello-1.6.0.tgz", "https://eggs.example/simple/hello/hello-1.6.0.tgz?token=secret", [
        `sha256:${hex256.toLowerCase()}`,
      ]],
    ],
  );
});

test("pageOf() finds a project's own page by the names that it may have there", () => {
  const root = `<html><head><title>Simple index</title></head><body>
    <a href="hello/">hello</a> <a href="/simple/my-dotted-name/">My.Dotted_Name</a>
    <a href="scope-name/">scope-name</a> <a href="@scope%2fother/">@scope/other</a>
    <a href="https://elsewhere.example/simple/far/">far</a> <a href="deep/er/">deeper</a>
    <a href="__proto__/">x</a></body></html>`;
  const listing = readHtmlListing(root, new URL("https://eggs.example/simple/"));
  const table: [project: string, page: string | null][] = [
    ["hello", "hello/"],
    ["My.Dotted_Name", "my-dotted-name/"],
    ["@scope/name", "scope-name/"],
    ["@scope/other", "@scope%2fother/"],
    ["far", null],
    ["deep", null],
    ["er", null],
    ["constructor", null],
  ];
  for (const [project, page] of table) {
    const wanted = page === null ? null : `https://eggs.example/simple/${page}`;
    assert.equal(pageOf(listing, project), wanted, project);
  }
});

test("readHtmlListing() goes by the page's own base address", () => {
  const page = '<base href="https://files.example/a/"><title>Index of /</title>' +
    '<base href="https://second.example/"><a href="hello-1.0.0.tgz">x</a><a href="sub/">s</a>';
  const { files, pages } = readHtmlListing(page, FOLDER);
  assert.deepEqual(files.map(({ locator }) => locator), [
    "https://files.example/a/hello-1.0.0.tgz",
  ]);
  assert.deepEqual(pages, { sub: "https://files.example/a/sub/" });
});

test("readHtmlListing() passes over names that lead elsewhere than they say", () => {
  const hrefs = [
    "..%2fhello-1.0.0.tgz",
    "hello-1.0.0.tgz%00",
    "%E0%A4%A.tgz",
    "hello-1.0.0.tgz%2f",
    "javascript:hello-1.0.0.tgz",
    "file:///etc/hello-1.0.0.tgz",
    "data:text/html,hello-1.0.0.tgz",
    "ftp://eggs.example/hello-1.0.0.tgz",
    "http://[/hello-1.0.0.tgz",
    "?file=hello-1.0.0.tgz",
    "#hello-1.0.0.tgz",
    "",
  ];
  const links = hrefs.map((href) => `<a href="${href}">x</a>`).join("");
  const found = readHtmlListing(`<title>Index of /</title>${links}`, FOLDER).files;
  // Those that are read as a name are the name of no release.
  assert.deepEqual(found.filter(({ name }) => /^hello-[\d.]+\.tgz$/.test(name)), []);
  const withSecret = '<a href="https://user:secret@eggs.example/eggs/hello-1.0.0.tgz">x</a>';
  assert.deepEqual(readHtmlListing(withSecret, FOLDER).files.map(({ locator }) => locator), [
    "https://eggs.example/eggs/hello-1.0.0.tgz",
  ]);
});

test("readHtmlListing() takes no other page for an empty folder", () => {
  const table: [html: string, found: RegExp][] = [
    [
      '<html><title>Guest network</title><form><input type="password"></form></html>',
      /^found a page "Guest network" that asks for a password$/,
    ],
    [
      '<title>Index of /</title><a href="hello-1.0.0.tgz">x</a><INPUT TYPE=Password>',
      /asks for a password/,
    ],
    [
      '<h1>Welcome</h1><a href="terms.html">Terms</a><a href="/ok">Go on</a>',
      /"Welcome" that lists/,
    ],
    ["<html><body>It works!</body></html>", /^found a page that lists no folder$/],
    ["", /lists no folder/],
    [LISTING_PAGES.nginx.full.slice(0, 500), /breaks off after 500 characters/],
  ];
  for (const [html, found] of table) {
    assert.throws(() => readHtmlListing(html, FOLDER), (error) => {
      assert.ok(error instanceof HtmlListingError, html);
      assert.match(error.message, found);
      return true;
    });
  }
});

test("readHtmlListing() finds links however deep or long the page around them", () => {
  const many = 20_000;
  const link = '<a href="hello-1.0.0.tgz">x</a>';
  const pages = [
    "<div>".repeat(many) + link,
    "<a href=x>".repeat(many) + link,
    `<a href="hello-1.0.0.tgz">${"&amp;".repeat(many)}</a>`,
    `<title>${" ".repeat(many)}</title>${link}${" ".repeat(many)}`,
    `<a href="${"../".repeat(many)}eggs/hello-1.0.0.tgz">x</a>`,
    "<!--".repeat(many) + `-->${link}`,
  ];
  for (const page of pages) assert.deepEqual(names(page), ["hello-1.0.0.tgz"]);
});
