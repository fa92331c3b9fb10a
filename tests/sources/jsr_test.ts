import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import { defaultJsrRegistry } from "../../lib/sources/default_registries.ts";
import { jsrSource, npmNameOf } from "../../lib/sources/jsr.ts";
import { readNpmConfig } from "../../lib/sources/npm_config.ts";
import type { TransmuteEvent } from "../../lib/model/event.ts";
import { Transmute } from "../../lib/transmute.ts";
import { bytesOf } from "../fixtures/fetched.ts";
import { LUCA_FLAG, SHA512_OF_NOTHING } from "../fixtures/jsr_answers.ts";
import { contextOf, impatientTimer, rejectsWith, sha512 } from "../fixtures/npm_questions.ts";
import type { Publication } from "../fixtures/npm_registry.ts";
import { jsrArchivePath, listingPath, startRegistry } from "../fixtures/npm_registry.ts";
import { surroundings } from "../fixtures/npm_surroundings.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

/** JSR with an `.npmrc` of this text, where the public registry is that of the table. */
function sourceOf(userFile: string) {
  return jsrSource("jsr:", {
    readConfig: () =>
      readNpmConfig(surroundings({ files: { "/home/ada/.npmrc": userFile } }), {
        "@jsr": defaultJsrRegistry,
      }),
    startTimer: impatientTimer(),
  });
}

/** A `fetch` that answers all questions with `answer`, and where they went. */
function answering(answer: unknown): { fetch: typeof fetch; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    fetch: (input) => {
      asked.push(String(input));
      return Promise.resolve(Response.json(answer));
    },
  };
}

test("npmNameOf() maps the names of JSR, and no others", () => {
  const table: [project: string, name: string | null][] = [
    ["@luca/flag", "@jsr/luca__flag"],
    ["@std/data-structures", "@jsr/std__data-structures"],
    ["@jsr/luca__flag", "@jsr/luca__flag"],
    ["hello", null],
    ["@Luca/flag", null],
    ["@luca/flag_x", null],
    ["@luca/flag.x", null],
    ["@luca/-flag", null],
    ["@luca__x/flag", null],
  ];
  for (const [project, name] of table) assert.equal(npmNameOf(project), name, project);
});

test("jsrSource() reads what the registry answers, under the project's own name", async () => {
  const { fetch, asked } = answering(LUCA_FLAG);
  const source = sourceOf("@jsr:registry=https://registry.example");
  const { listing, cached } = await source.list("@luca/flag", contextOf({ fetch }));
  assert.deepEqual(asked, ["https://registry.example/@jsr%2fluca__flag"]);
  assert.equal(cached, false);
  assert.equal(listing.project, "@luca/flag");
  assert.deepEqual(listing.tags, { latest: "1.1.0" });
  assert.deepEqual(listing.releases.map(({ version }) => version), ["1.0.1", "1.1.0"]);
  assert.deepEqual(listing.releases[1], {
    project: "@luca/flag",
    version: "1.1.0",
    publishedAt: Date.parse("2024-03-01T10:00:00.000Z"),
    artifact: {
      locator: "https://registry.example/~/11/@jsr/luca__flag/1.1.0.tgz",
      digests: [`sha512:${SHA512_OF_NOTHING}`],
      validator: `sha512:${SHA512_OF_NOTHING}`,
    },
    manifest: {
      name: "@jsr/luca__flag",
      version: "1.1.0",
      dependencies: { "@jsr/std__assert": "^1.0.0", "chalk": "^5.3.0" },
    },
  });
});

test("jsrSource() answers for the names that its eggs have as dependencies", async () => {
  const { fetch } = answering(LUCA_FLAG);
  const source = sourceOf("@jsr:registry=https://registry.example");
  const { listing } = await source.list("@jsr/luca__flag", contextOf({ fetch }));
  assert.deepEqual(listing.releases.map(({ project }) => project), [
    "@jsr/luca__flag",
    "@jsr/luca__flag",
  ]);
});

test("jsrSource() asks nobody about what cannot be a project of JSR", async () => {
  const { fetch, asked } = answering(LUCA_FLAG);
  const source = sourceOf("");
  for (const project of ["hello", "@Scope/name", "../x", "@jsr/..", "@a/b/c"]) {
    const { listing } = await source.list(project, contextOf({ fetch }));
    assert.deepEqual(listing, { project, releases: [], tags: {} });
  }
  assert.deepEqual(asked, []);
});

test("jsrSource() asks the registry of the scope @jsr, or else the public one", async () => {
  const table: [userFile: string, registry: string][] = [
    ["", new URL(defaultJsrRegistry).href],
    ["registry=https://npm.example", new URL(defaultJsrRegistry).href],
    ["@jsr:registry=https://mirror.example/jsr", "https://mirror.example/jsr/"],
  ];
  for (const [userFile, registry] of table) {
    const { fetch, asked } = answering(LUCA_FLAG);
    await sourceOf(userFile).list("@luca/flag", contextOf({ fetch }));
    assert.deepEqual(asked, [`${registry}@jsr%2fluca__flag`]);
  }
  const { fetch, asked } = answering(LUCA_FLAG);
  const fixed = jsrSource("jsr+https://ada:secret@registry.example", {
    readConfig: () => readNpmConfig(surroundings({})),
  });
  assert.equal(fixed.id, "jsr+https://registry.example/");
  await fixed.list("@luca/flag", contextOf({ fetch }));
  assert.deepEqual(asked, ["https://registry.example/@jsr%2fluca__flag"]);
  assert.throws(
    () => jsrSource("jsr+ftp://registry.example"),
    (error) => isTransmuteError(error, "option-invalid"),
  );
});

test("jsrSource() passes on what the registry fails with, as its own", async () => {
  const registry = await startRegistry({ archivePath: jsrArchivePath });
  try {
    const source = jsrSource(`jsr+${registry.url}`, {
      readConfig: () => readNpmConfig(surroundings({})),
      startTimer: impatientTimer(),
    });
    const { listing } = await source.list("@luca/flag", contextOf());
    assert.deepEqual(listing.releases, [], "no such project");
    registry.fail(listingPath("@jsr/luca__flag"), { status: 200, body: "<html>" }, 1);
    await rejectsWith(
      source.list("@luca/flag", contextOf()),
      "listing-invalid",
      /@jsr\/luca__flag/,
    );
  } finally {
    await registry.close();
  }
});

/** One version of a project of JSR, as its registry publishes it. */
function jsrEgg(
  name: string,
  version: string,
  code: string,
  dependencies: Record<string, string> = {},
): Publication {
  const exports = { ".": { types: "./_dist/mod.d.ts", default: "./mod.js" } };
  return {
    manifest: { name, version, type: "module", exports, dependencies, _jsr_revision: 11 },
    files: { "mod.js": code },
  };
}

test("jsrSource() serves an application: names, dependencies, yanked releases", async () => {
  using folder = temporaryFolder();
  const jsr = await startRegistry({
    archivePath: jsrArchivePath,
    packages: [
      jsrEgg("@jsr/std__text", "1.0.0", "export const shout = (text) => text.toUpperCase();"),
      jsrEgg("@jsr/luca__flag", "1.0.0", "export const flag = () => 'old';"),
      jsrEgg(
        "@jsr/luca__flag",
        "1.1.0",
        'import { shout } from "@jsr/std__text";\nimport { kind } from "@kinds/kind";\n' +
          'export const flag = () => shout("new") + kind;',
        { "@jsr/std__text": "^1", "@kinds/kind": "^1" },
      ),
      // Somebody else's, of the same name as that of npm.
      jsrEgg("@jsr/kinds__kind", "1.9.0", "export const kind = ' of an impostor';"),
    ],
  });
  const npm = await startRegistry({
    packages: [{
      manifest: { name: "@kinds/kind", version: "1.0.0", type: "module", exports: "./index.js" },
      files: { "index.js": "export const kind = ' of npm';" },
    }],
  });
  try {
    const events: TransmuteEvent[] = [];
    const start = async () => {
      const transmute = new Transmute({
        app: "app",
        cacheDir: `${folder.path}/store`,
        sources: [`jsr+${jsr.url}`, npm.source],
        log: "off",
        onEvent: (event) => events.push(event),
      });
      transmute.require("jsr:@luca/flag@^1");
      await transmute.update({ force: true });
      return (await transmute.import<{ flag(): string }>("@luca/flag")).flag();
    };
    assert.equal(await start(), "NEW of npm");
    assert.equal(jsr.count(listingPath("@jsr/kinds__kind")), 0);
    jsr.unpublish("@jsr/luca__flag", "1.1.0");
    jsr.tag("@jsr/luca__flag", "latest", "1.0.0");
    assert.equal(await start(), "NEW of npm", "what runs stays, though it was yanked since");
    assert.ok(events.some(({ kind }) => kind === "downgrade-refused"));
  } finally {
    await jsr.close();
    await npm.close();
  }
});

test("jsrSource() brings archives that their integrity proves", async () => {
  const registry = await startRegistry({
    archivePath: jsrArchivePath,
    packages: [jsrEgg("@jsr/luca__flag", "1.0.0", "export {};")],
  });
  try {
    const source = jsrSource(`jsr+${registry.url}`, {
      readConfig: () => readNpmConfig(surroundings({})),
    });
    const { listing: { releases: [{ artifact }] } } = await source.list("@luca/flag", contextOf());
    assert.equal(new URL(artifact.locator).pathname, jsrArchivePath("@jsr/luca__flag", "1.0.0"));
    const bytes = bytesOf(await source.fetch(artifact, contextOf()));
    assert.deepEqual(artifact.digests, [sha512(bytes)]);
  } finally {
    await registry.close();
  }
});
