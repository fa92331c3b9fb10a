/** The contract of sources, on every source of our own. */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Manifest } from "../../lib/model/egg.ts";
import { directorySource } from "../../lib/sources/directory.ts";
import { httpFolder } from "../../lib/sources/http.ts";
import { jsrSource, npmNameOf } from "../../lib/sources/jsr.ts";
import type { NpmSurroundings } from "../../lib/sources/npm.ts";
import { npmSource } from "../../lib/sources/npm.ts";
import type { Source } from "../../lib/sources/source.ts";
import { failPath } from "../fixtures/faulty_path.ts";
import { impatientTimer } from "../fixtures/npm_questions.ts";
import { archivePath, jsrArchivePath, startRegistry } from "../fixtures/npm_registry.ts";
import { configOf } from "../fixtures/npm_surroundings.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import type { WebFolder } from "../fixtures/web_folder.ts";
import { plainPage, sha256, startWebFolder } from "../fixtures/web_folder.ts";
import type { ContractStage, ContractSubject } from "../source_contract.ts";
import { testSource } from "../source_contract.ts";

const TOKEN = "very secret token";

const runner = {
  test: (title: string, run: () => Promise<void>) => test(title, run),
  skip: (title: string, reason: string) => {
    console.log(`# skip ${title}: ${reason}`);
    test(title, { skip: reason }, () => {});
  },
};

const directory: ContractSubject = {
  name: "directorySource()",
  kind: "local",
  open() {
    const folder = temporaryFolder();
    return {
      source: directorySource(folder.path),
      publish: ({ filename, archive }) => writeFileSync(join(folder.path, filename), archive),
      remove: ({ filename }) => rmSync(join(folder.path, filename)),
      close: () => folder[Symbol.dispose](),
    };
  },
};

/** A folder behind a web server, which is told of every change to its files by `changed`. */
function httpSubject(how: string, changed: (folder: WebFolder) => void): ContractSubject {
  return {
    name: `httpFolder() with ${how}`,
    kind: "network",
    secrets: [TOKEN],
    async open(): Promise<ContractStage> {
      const folder = await startWebFolder({ page: plainPage, authorization: `Bearer ${TOKEN}` });
      changed(folder);
      const options = { authorization: `Bearer ${TOKEN}` };
      const surroundings = { startTimer: impatientTimer(), env: () => undefined };
      return {
        source: httpFolder(folder.url, options, surroundings),
        publish({ filename, archive }) {
          folder.put(filename, archive);
          changed(folder);
        },
        remove: ({ filename }) => folder.remove(filename),
        fail: ({ filename }, fault) => failPath(folder, `/${filename}`, fault),
        fetch: folder.fetch,
        close: () => folder.close(),
      };
    },
  };
}

const byPage = httpSubject("a page", () => {});
const byIndex = httpSubject("an index", (folder) => folder.index());
const byCompanions = httpSubject("digests beside its archives", (folder) => {
  for (const [name, { body }] of folder.files) {
    if (name.endsWith(".tgz")) folder.put(`${name}.sha256`, sha256(body));
  }
});

/** A registry of npm's protocol, open to who has the token. */
function registrySubject(
  subject: Pick<ContractSubject, "name" | "named">,
  { pathOf, npmName, open }: {
    pathOf: (project: string, version: string) => string;
    npmName: (project: string) => string;
    open: (url: string, surroundings: NpmSurroundings) => Source;
  },
): ContractSubject {
  return {
    ...subject,
    kind: "network",
    secrets: [TOKEN],
    async open(): Promise<ContractStage> {
      const registry = await startRegistry({ token: TOKEN, archivePath: pathOf });
      const { host } = new URL(registry.url);
      const pathFor = ({ name, version }: Manifest) => pathOf(npmName(name), version);
      return {
        source: open(registry.url, {
          readConfig: () => configOf(`//${host}/:_authToken=${TOKEN}`),
          startTimer: impatientTimer(),
        }),
        publish: ({ manifest, archive }) =>
          registry.publish({ manifest: { ...manifest, name: npmName(manifest.name) }, archive }),
        remove: ({ manifest }) => registry.unpublish(npmName(manifest.name), manifest.version),
        fail: ({ manifest }, fault) => failPath(registry, pathFor(manifest), fault),
        fetch: registry.fetch,
        close: () => registry.close(),
      };
    },
  };
}

const npm = registrySubject({ name: "npmSource()" }, {
  pathOf: archivePath,
  npmName: (project) => project,
  open: (url, surroundings) => npmSource(`npm+${url}`, surroundings),
});

const jsr = registrySubject({
  name: "jsrSource()",
  named: (name) => name.startsWith("@") ? name : `@contract/${name}`,
}, {
  pathOf: jsrArchivePath,
  npmName: (project) => npmNameOf(project)!,
  open: (url, surroundings) => jsrSource(`jsr+${url}`, surroundings),
});

for (const subject of [directory, byPage, byIndex, byCompanions, npm, jsr]) {
  testSource(subject, runner);
}
