/** The contract of sources, on Python eggs: in indexes, in folders on a disk, on the web, in buckets. */

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parsePythonFileName } from "../../lib/model/python_file.ts";
import { directorySource } from "../../lib/sources/directory.ts";
import { httpFolder } from "../../lib/sources/http.ts";
import { pypiSource } from "../../lib/sources/pypi.ts";
import { s3Folder } from "../../lib/sources/s3.ts";
import { unpackPythonEgg } from "../../lib/store/python_egg.ts";
import { eggsOf } from "../contract/eggs.ts";
import { awsSurroundings } from "../fixtures/aws_surroundings.ts";
import { failPath } from "../fixtures/faulty_path.ts";
import { impatientTimer } from "../fixtures/npm_questions.ts";
import type { IndexForm } from "../fixtures/python_index.ts";
import { filePath, startPythonIndex } from "../fixtures/python_index.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { BUCKET, KEYS, startTestBucket } from "../fixtures/test_bucket.ts";
import type { WebFolder } from "../fixtures/web_folder.ts";
import { plainPage, sha256, startWebFolder } from "../fixtures/web_folder.ts";
import type { ContractEgg, ContractStage, ContractSubject } from "../source_contract.ts";
import { testSource } from "../source_contract.ts";

const SECRET = "very secret password";
const AUTHORIZATION = `Basic ${btoa(`ada:${SECRET}`)}`;

/** The files of a wheel in a folder: itself, and its metadata where that is there too. */
function filesOf({ filename, archive, metadata }: ContractEgg, isApart: boolean) {
  return new Map([
    [filename, archive],
    ...(isApart ? [[`${filename}.metadata`, metadata!] as const] : []),
  ]);
}

/** What a place lacks that has wheels alone. */
const lacking = (isApart: boolean): Pick<ContractSubject, "lacks"> =>
  isApart ? {} : { lacks: { metadata: "there are wheels alone" } };

function index(form: IndexForm, isApart: boolean): ContractSubject {
  return {
    name: `pypiSource() of ${form}${isApart ? " with metadata" : ""}`,
    kind: "network",
    ecosystem: "python",
    ...lacking(isApart),
    secrets: [SECRET],
    async open(): Promise<ContractStage> {
      const server = await startPythonIndex({ form, authorization: AUTHORIZATION });
      const address = server.source.replace("//", `//ada:${encodeURIComponent(SECRET)}@`);
      return {
        source: pypiSource(address, { startTimer: impatientTimer() }),
        publish: ({ manifest, filename, archive, metadata }) =>
          server.publish({
            project: manifest.name,
            filename,
            bytes: archive,
            ...(isApart ? { metadata: metadata! } : {}),
          }),
        remove: ({ filename }) => server.remove(filename),
        fail: ({ filename }, fault) => failPath(server, filePath(filename), fault),
        fetch: server.fetch,
        close: () => server.close(),
      };
    },
  };
}

function directory(isApart: boolean): ContractSubject {
  return {
    name: `directorySource() of wheels${isApart ? " with metadata" : ""}`,
    kind: "local",
    ecosystem: "python",
    ...lacking(isApart),
    open() {
      const folder = temporaryFolder();
      return {
        source: directorySource(folder.path),
        publish(egg) {
          for (const [name, bytes] of filesOf(egg, isApart)) {
            writeFileSync(join(folder.path, name), bytes);
          }
        },
        remove(egg) {
          for (const name of filesOf(egg, isApart).keys()) rmSync(join(folder.path, name));
        },
        close: () => folder[Symbol.dispose](),
      };
    },
  };
}

/** A folder behind a web server, which is told of every change to its files by `changed`. */
function webFolder(how: string, changed: (folder: WebFolder) => void): ContractSubject {
  return {
    name: `httpFolder() of wheels with ${how}`,
    kind: "network",
    ecosystem: "python",
    secrets: [SECRET],
    async open(): Promise<ContractStage> {
      const folder = await startWebFolder({ page: plainPage, authorization: AUTHORIZATION });
      changed(folder);
      const surroundings = { startTimer: impatientTimer(), env: () => undefined };
      return {
        source: httpFolder(folder.url, { authorization: AUTHORIZATION }, surroundings),
        publish(egg) {
          for (const [name, bytes] of filesOf(egg, true)) folder.put(name, bytes);
          changed(folder);
        },
        remove(egg) {
          for (const name of filesOf(egg, true).keys()) folder.remove(name);
        },
        fail: ({ filename }, fault) => failPath(folder, `/${filename}`, fault),
        fetch: folder.fetch,
        close: () => folder.close(),
      };
    },
  };
}

const bucket: ContractSubject = {
  name: "s3Folder() of wheels",
  kind: "network",
  ecosystem: "python",
  secrets: [KEYS.secretAccessKey],
  async open(): Promise<ContractStage> {
    const server = await startTestBucket();
    return {
      source: s3Folder(
        `s3://${BUCKET}/wheels/`,
        { endpoint: server.url, region: "eu-west-1", credentials: KEYS },
        { from: awsSurroundings(), startTimer: impatientTimer() },
      ),
      publish(egg) {
        for (const [name, bytes] of filesOf(egg, true)) server.put(`wheels/${name}`, bytes);
      },
      remove(egg) {
        for (const name of filesOf(egg, true).keys()) server.remove(`wheels/${name}`);
      },
      fail: ({ filename }, fault) => failPath(server, `/${BUCKET}/wheels/${filename}`, fault),
      fetch: server.fetch,
      close: () => server.close(),
    };
  },
};

const byPage = webFolder("a page", () => {});
const byIndex = webFolder("an index", (folder) => folder.index());
const byCompanions = webFolder("digests beside them", (folder) => {
  for (const [name, { body }] of folder.files) {
    if (name.endsWith(".whl")) folder.put(`${name}.sha256`, sha256(body));
  }
});

const SUBJECTS = [
  ...[index("json", false), index("json", true), index("html", true)],
  ...[directory(false), directory(true), byPage, byIndex, byCompanions, bucket],
];
for (const subject of SUBJECTS) {
  // Called here, for some runners tell a test's file by where it is registered.
  testSource(subject, { test: (title, run) => test(title, run) });
}

test("testSource() publishes wheels that pass the gate of the store", async () => {
  const eggs = eggsOf("python", (project) => project);
  const { filename, archive, metadata } = await eggs.make("hello-world", "1.0.0", { bytes: 9999 });
  const file = parsePythonFileName(filename)!;
  const { manifest, entries } = await unpackPythonEgg(archive, file, {
    maxUnpackedBytes: 1_000_000,
  });
  assert.deepEqual([manifest.name, manifest.version], ["hello-world", "1.0.0"]);
  assert.deepEqual(
    entries.find(({ path }) => path.endsWith("/METADATA"))?.bytes,
    metadata,
  );
});
