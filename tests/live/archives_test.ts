/**
 * Real archives at the gates: the npm projects that most others depend on, and popular wheels.
 * Fetched once for each run, through the source and through pip.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import { npmSource } from "../../lib/sources/npm.ts";
import { readManifest, unpackTarball } from "../../lib/store/unpack.ts";
import { readZipMembers } from "../../lib/store/zip_gate.ts";
import { selectRelease } from "../../lib/updater/select.ts";
import { bytesOf } from "../fixtures/fetched.ts";
import { contextOf } from "../fixtures/source_context.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const MOST_DEPENDED_ON = [
  ...["lodash", "react", "chalk", "request", "commander", "moment", "express", "axios", "tslib"],
  ...["debug", "react-dom", "async", "fs-extra", "prop-types", "uuid", "bluebird", "classnames"],
  ...["vue", "underscore", "yargs", "inquirer", "webpack", "mkdirp", "glob", "rxjs", "dotenv"],
  ...["body-parser", "colors", "typescript", "minimist", "jquery", "babel-runtime", "cheerio"],
  ...["core-js", "semver", "through2", "winston", "redux", "jest", "eslint", "rimraf", "ora"],
  ...[
    "@types/node",
    "@babel/runtime",
    "@babel/core",
    "zod",
    "ws",
    "cross-spawn",
    "next",
    "prettier",
  ],
];

const POPULAR_WHEELS = [
  ...["boto3", "urllib3", "botocore", "requests", "certifi", "idna", "charset-normalizer"],
  ...["setuptools", "packaging", "typing-extensions", "python-dateutil", "s3transfer", "six"],
  ...["pyyaml", "numpy", "pip", "cryptography", "cffi", "pydantic", "click", "attrs", "jmespath"],
  ...["importlib-metadata", "zipp", "pandas", "wheel", "jinja2", "markupsafe", "rsa", "pyasn1"],
];

const LIMITS = { maxEntries: 50_000, maxUnpackedBytes: 1024 ** 3 };
const SELECTION = {
  platform: { os: "linux", cpu: "x64", libc: "glibc" },
  nodeVersion: "24.0.0",
  isExcluded: () => null,
};
const CONTEXT = contextOf({
  signal: AbortSignal.timeout(280_000),
  maxDownloadBytes: 256 * 1024 ** 2,
});

/** Why a registry cannot be asked, or `false`. */
async function npmAbsence(): Promise<string | false> {
  try {
    await npmSource().list("semver", CONTEXT);
    return false;
  } catch (error) {
    const absent = isTransmuteError(error, "source-unreachable") ||
      isTransmuteError(error, "source-timeout");
    return absent ? `the registry is out of reach: ${error.message}` : false;
  }
}

async function pip(...args: string[]): Promise<string | null> {
  const options = { args: ["-m", "pip", ...args], stdin: "null", stdout: "null", stderr: "piped" };
  try {
    const { success, stderr } = await new Deno.Command("python3", options as Deno.CommandOptions)
      .output();
    return success ? null : new TextDecoder().decode(stderr).trim().split("\n").at(-1)!;
  } catch (error) {
    return String(error);
  }
}

const noNpm = await npmAbsence();
if (noNpm) console.log(`Skipped: ${noNpm}`);

test("unpackTarball() accepts the fifty npm projects that most others depend on", {
  skip: noNpm,
}, async () => {
  const source = npmSource();
  assert.equal(new Set(MOST_DEPENDED_ON).size, 50);
  const refused: string[] = [];
  await Promise.all(MOST_DEPENDED_ON.map(async (project) => {
    const { listing } = await source.list(project, CONTEXT);
    const { release } = selectRelease(listing, "latest", SELECTION);
    const archive = bytesOf(await source.fetch(release!.artifact, CONTEXT));
    try {
      assert.equal(readManifest(await unpackTarball(archive, LIMITS)).name, project);
    } catch (error) {
      refused.push(`${project}@${release!.version}: ${error}`);
    }
  }));
  assert.deepEqual(refused, []);
});

using wheels = temporaryFolder();
const noWheels = await pip(
  ...["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", wheels.path],
  ...POPULAR_WHEELS,
);
if (noWheels !== null) console.log(`Skipped: wheels cannot be had: ${noWheels}`);
const files = Array.from(Deno.readDirSync(wheels.path), ({ name }) => name).sort();
const contents = files.map((name) => Deno.readFileSync(`${wheels.path}/${name}`));

test("readZipMembers() accepts thirty popular wheels", {
  skip: noWheels === null ? false : `wheels cannot be had: ${noWheels}`,
}, async () => {
  assert.equal(files.length, 30);
  const refused: string[] = [];
  for (const [index, name] of files.entries()) {
    try {
      const members = await readZipMembers(contents[index], LIMITS);
      assert.ok(members.some(({ path }) => path.endsWith(".dist-info/RECORD")));
    } catch (error) {
      refused.push(`${name}: ${error}`);
    }
  }
  assert.deepEqual(refused, []);
});
