import assert from "node:assert/strict";
import { test } from "node:test";
import type { PipSurroundings } from "../../lib/sources/pip_config.ts";
import { configuredIndex, netrcCredentials } from "../../lib/sources/pip_config.ts";
import type { EggFile } from "../../lib/sources/egg_files.ts";
import { PythonFolder } from "../../lib/sources/python_files.ts";
import {
  PythonIndexError,
  readIndexHtml,
  readIndexJson,
  releasesOfIndex,
} from "../../lib/sources/python_index.ts";
import { refusal } from "../fixtures/refusal.ts";

const URL_OF_INDEX = new URL("https://index.example/simple/foo/");
const SHA256 = "ab".repeat(32);

const answer = (files: unknown[], more = {}) =>
  JSON.stringify({ meta: { "api-version": "1.4" }, name: "foo", files, ...more });

test("readIndexJson() reads what is used of each file", () => {
  const [file] = readIndexJson(
    answer([{
      filename: "foo-1.0-py3-none-any.whl",
      url: "../../files/foo-1.0-py3-none-any.whl#sha256=zz",
      hashes: { sha256: SHA256.toUpperCase(), md5: "00" },
      "requires-python": ">=3.9",
      size: 1234,
      "upload-time": "2026-01-02T03:04:05Z",
      yanked: "broken",
      "core-metadata": { sha256: SHA256 },
    }]),
    URL_OF_INDEX,
  );
  assert.deepEqual(file, {
    name: "foo-1.0-py3-none-any.whl",
    url: "https://index.example/files/foo-1.0-py3-none-any.whl",
    sizeBytes: 1234,
    digests: [`sha256:${SHA256}`],
    requiresPython: ">=3.9",
    yanked: "broken",
    metadata: [`sha256:${SHA256}`],
    uploadedAt: "2026-01-02T03:04:05Z",
  });
});

test("readIndexJson() takes a quarantined project for one without files", () => {
  const text = answer([{ filename: "foo-1.0.tar.gz", url: "foo-1.0.tar.gz" }], {
    "project-status": { status: "quarantined" },
  });
  assert.deepEqual(readIndexJson(text, URL_OF_INDEX), []);
});

for (
  const [what, text] of [
    ["text", "no JSON"],
    ["another JSON", "{}"],
    ["another version", answer([]).replace("1.4", "2.0")],
    ["too many files", answer(Array(100_001).fill(0))],
  ]
) {
  test(`readIndexJson() refuses ${what}`, () => {
    assert.throws(() => readIndexJson(text, URL_OF_INDEX), PythonIndexError);
  });
}

test("readIndexHtml() reads the links of PEP 503 and their attributes", () => {
  const html = `<!DOCTYPE html><html><head><title>Links for foo</title></head><body>
    <a href="/f/foo-1.0.tar.gz#sha256=${SHA256}" data-requires-python="&gt;=3.9">foo-1.0.tar.gz</a>
    <a href="foo-1.1-py3-none-any.whl" data-yanked="" data-core-metadata="sha256=${SHA256}"
      >foo-1.1-py3-none-any.whl</a></body></html>`;
  assert.deepEqual(readIndexHtml(html, URL_OF_INDEX), [
    {
      name: "foo-1.0.tar.gz",
      url: "https://index.example/f/foo-1.0.tar.gz",
      digests: [`sha256:${SHA256}`],
      requiresPython: ">=3.9",
    },
    {
      name: "foo-1.1-py3-none-any.whl",
      url: "https://index.example/simple/foo/foo-1.1-py3-none-any.whl",
      digests: [],
      yanked: "",
      metadata: [`sha256:${SHA256}`],
    },
  ]);
});

test("readIndexJson() knows metadata apart from archives by each name that it has had", () => {
  for (const field of ["core-metadata", "dist-info-metadata", "data-dist-info-metadata"]) {
    const found = { filename: "foo-1.0-py3-none-any.whl", url: "x", [field]: { sha256: SHA256 } };
    const [{ metadata }] = readIndexJson(answer([found]), URL_OF_INDEX);
    assert.deepEqual(metadata, [`sha256:${SHA256}`], field);
  }
});

/** A page of links, and what else its head says. */
const page = (links: string, head = "<title>Links for foo</title>") =>
  `<!DOCTYPE html><html><head>${head}</head><body>${links}</body></html>`;
const LINK = '<a href="foo-1.0-py3-none-any.whl">foo-1.0-py3-none-any.whl</a>';

test("readIndexHtml() takes names from addresses, where a page may cut them short", () => {
  for (
    const [link, name] of [
      ['<a href="foo-1.0-py3-none-any.whl">foo-1.0-py3-no..&gt;</a>', "foo-1.0-py3-none-any.whl"],
      [
        `<a href="foo-1.0%2Bcu1-py3-none-any.whl?x=1#sha256=${SHA256}"></a>`,
        "foo-1.0+cu1-py3-none-any.whl",
      ],
      ['<a href="/download/17">foo-1.0.tar.gz</a>', "foo-1.0.tar.gz"],
      ['<a href="foo-1.0%zz.whl">foo-1.0%zz.whl</a>', "foo-1.0%zz.whl"],
    ]
  ) assert.deepEqual(readIndexHtml(page(link), URL_OF_INDEX).map((file) => file.name), [name]);
});

test("readIndexHtml() takes a server's own listing of a folder for one", () => {
  const html = page('<a href="../">Parent Directory</a>', "<title>Index of /simple/foo</title>");
  assert.deepEqual(releasesOfIndex("foo", readIndexHtml(html, URL_OF_INDEX)), []);
  assert.equal(readIndexHtml(page(LINK, ""), URL_OF_INDEX).length, 1);
});

test("readIndexHtml() heeds the version of the interface and the status of the project", () => {
  const meta = (name: string, content: string) => `<meta name="pypi:${name}" content="${content}">`;
  const read = (head: string) => readIndexHtml(page(LINK, head), URL_OF_INDEX);
  assert.equal(read(meta("repository-version", "1.3")).length, 1);
  assert.equal(read(meta("project-status", "archived")).length, 1);
  assert.deepEqual(read(meta("project-status", "quarantined")), []);
  assert.throws(() => read(meta("repository-version", "2.0")), PythonIndexError);
});

test("readIndexHtml() refuses more links than any project has files", () => {
  assert.throws(() => readIndexHtml(page(LINK.repeat(100_001)), URL_OF_INDEX), PythonIndexError);
});

test("releasesOfIndex() tells files of a version apart, also without digests and sizes", () => {
  const file = (name: string, uploadedAt?: string) => ({
    name,
    url: `https://h.example/${name}`,
    digests: [],
    ...(uploadedAt === undefined ? {} : { uploadedAt }),
  });
  const validators = releasesOfIndex("foo", [
    file("foo-1.0-py2-none-any.whl"),
    file("foo-1.0-py3-none-any.whl"),
    file("foo-1.0-py3-none-any.whl", "2026-01-02T03:04:05Z"),
  ]).map(({ artifact }) => artifact.validator);
  assert.equal(new Set(validators).size, 3, validators.join());
});

test("readIndexHtml() takes no page of a network's for a listing", () => {
  for (
    const html of [
      "<html><title>Sign in</title><form><input type=password></form></html>",
      "<html><title>Welcome</title><a href='/x'>go on</a></html>",
    ]
  ) assert.throws(() => readIndexHtml(html, URL_OF_INDEX), PythonIndexError);
});

test("releasesOfIndex() takes files of the project alone, one release for each", () => {
  const file = (name: string) => ({
    name,
    url: `https://h.example/${name}`,
    digests: [`sha256:${SHA256}`],
  });
  const releases = releasesOfIndex("foo", [
    file("foo-1.0-py3-none-any.whl"),
    { ...file("foo-1.0.tar.gz"), uploadedAt: "2026-01-02T03:04:05Z" },
    file("foo-bar-1.0.tar.gz"),
    file("foo-1.0.exe"),
  ]);
  assert.deepEqual(releases.map(({ version, python }) => [version, python?.file.kind]), [
    ["1.0", "wheel"],
    ["1.0", "sdist"],
  ]);
  assert.equal(releases[1].publishedAt, Date.UTC(2026, 0, 2, 3, 4, 5));
});

test("PythonFolder has the files of each project, with what lies beside them", () => {
  const file = (name: string, more: Partial<EggFile> = {}): EggFile => (
    { name, locator: `/dist/${name}`, sizeBytes: 1, ...more }
  );
  const folder = new PythonFolder([
    file("Foo_Bar-1.0-py3-none-any.whl"),
    file("Foo_Bar-1.0-py3-none-any.whl.metadata", { digests: [`sha256:${SHA256}`] }),
    file("foo-bar-1.1.tar.gz"),
    file("foo-bar-1.1.tar.gz.sha256"),
    file("foo_bar-1.2-py3.11.egg"),
    file("foo-1.0.tar.gz"),
    file("foo-bar-2.0.tar.gz", { manifest: { name: "foo-bar", version: "2.0.0" } }),
    file("foo-bar-3.0.0.tgz"),
  ]);
  const releases = folder.releases("foo-bar");
  assert.deepEqual(releases.map(({ version }) => version), ["1.0", "1.1", "1.2"]);
  assert.deepEqual(releases[0].python?.metadata, {
    locator: "/dist/Foo_Bar-1.0-py3-none-any.whl.metadata",
    digests: [`sha256:${SHA256}`],
  });
  assert.equal(releases[1].artifact.companion, "/dist/foo-bar-1.1.tar.gz.sha256");
  assert.deepEqual(folder.releases("foo").map(({ version }) => version), ["1.0"]);
});

/** A machine with these variables and files, whose pip says that its index is at `pip`. */
function machine(
  env: Record<string, string>,
  files: Record<string, string> = {},
  pip: string | null = null,
): PipSurroundings & { asked: number } {
  const here = {
    asked: 0,
    env: (name: string) => env[name],
    readTextFile(path: string) {
      if (files[path] === undefined) throw new Error(`no ${path}`);
      return files[path];
    },
    platform: () => ({ os: "linux", cpu: "x64" }),
    run() {
      here.asked++;
      return pip === null
        ? Promise.reject(new Error("no python3"))
        : Promise.resolve({ code: 0, signal: null, stdout: `index:${pip}\n` });
    },
  };
  return here;
}

const NO_LISTINGS = { read: () => null, write() {} };
const HOME = { HOME: "/home/ada" };
const PIP = "https://pip.example/simple";

const CONFIGURATIONS: [what: string, from: PipSurroundings, index: string][] = [
  ["the variable", machine({ ...HOME, PIP_INDEX_URL: "https://a.example/" }), "https://a.example/"],
  [
    "the file that PIP_CONFIG_FILE names",
    machine({ ...HOME, PIP_CONFIG_FILE: "/x" }, {
      "/x": "[global]\nindex-url = https://b.example/\n",
    }),
    "https://b.example/",
  ],
  [
    "the user's file, its section for installing first",
    machine(HOME, {
      "/home/ada/.config/pip/pip.conf":
        "[global]\nindex-url = https://c.example/\n[install]\nindex-url = https://d.example/\n",
    }),
    "https://d.example/",
  ],
  [
    "the machine's file",
    machine(HOME, { "/etc/pip.conf": "[global]\nindex-url=https://e.example/" }),
    "https://e.example/",
  ],
  ["pip itself", machine(HOME, { "/etc/pip.conf": "[global]\ntimeout = 5\n" }, PIP), PIP],
];

for (const [what, from, index] of CONFIGURATIONS) {
  test(`configuredIndex() learns the index from ${what}`, async () => {
    assert.equal(await configuredIndex(NO_LISTINGS, from), index);
  });
}

test("configuredIndex() asks pip once, and keeps its answer", async () => {
  const kept = new Map();
  const listings = {
    read: (key: string) => kept.get(key) ?? null,
    write: (key: string, value: unknown) => void kept.set(key, value),
  };
  const here = machine(HOME, {}, PIP);
  for (let count = 0; count < 3; count++) await configuredIndex(listings, here);
  assert.equal(here.asked, 1);
});

test("configuredIndex() says what to do where there is no pip to ask", async () => {
  await assert.rejects(
    configuredIndex(NO_LISTINGS, machine(HOME)),
    refusal("source-unreachable", "no pip to ask"),
  );
});

test("netrcCredentials() finds name and password of a host", () => {
  const from = machine(HOME, {
    "/home/ada/.netrc":
      "machine a.example login ada password one\nmachine b.example\n login bob\n password two\n",
  });
  assert.deepEqual(netrcCredentials("b.example", from), { name: "bob", password: "two" });
  assert.equal(netrcCredentials("c.example", from), null);
});
