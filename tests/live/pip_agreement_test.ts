/**
 * Whether Python projects are resolved to the very eggs that pip would install, all dependencies
 * included: asked of the real index, by metadata alone. Skipped, saying so, where that is out of
 * reach.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Transmute } from "../../mod.ts";
import { isTransmuteError } from "../../lib/errors.ts";
import { outputOf } from "../fixtures/running_program.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const PROJECTS = [
  ...["requests", "flask", "django", "fastapi", "boto3", "rich", "typer", "httpie", "black"],
  ...["pytest", "sqlalchemy", "pandas", "scikit-learn", "jinja2", "pydantic", "celery", "scrapy"],
  ...["tox", "ipython", "aiohttp"],
];

const python = (await outputOf("python3", ["-c", "import sys; print(sys.executable)"])).trim();

/** What pip would install, as `name==version`, sorted; the reason where it cannot tell. */
async function pipSet(project: string): Promise<string[] | { reason: string }> {
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [
      ...["-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-input"],
      ...["--disable-pip-version-check", "--only-binary=:all:", "--report=-", project],
    ],
    // Only the index that pip knows by itself.
    env: { PIP_FIND_LINKS: "", PIP_EXTRA_INDEX_URL: "" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) return { reason: decoder.decode(stderr).trim().split("\n").at(-1)! };
  const { install } = JSON.parse(decoder.decode(stdout));
  return install.map(({ metadata: { name, version } }: {
    metadata: { name: string; version: string };
  }) => `${name.toLowerCase().replace(/[-_.]+/g, "-")}@${version}`).sort();
}

async function ourSet(project: string, cacheDir: string): Promise<string[]> {
  const transmute = new Transmute({
    app: "agreement",
    cacheDir,
    python,
    log: "off",
    trust: { minimumAgeMs: { transitive: 0 } },
  });
  transmute.require(`pypi:${project}`);
  return (await transmute.check()).contents;
}

const first = await pipSet("six");
const skip = Array.isArray(first) ? false : `pip cannot ask its index: ${first.reason}`;
if (skip) console.log(`# skip ${PROJECTS.length} comparisons with pip: ${skip}`);

for (const project of PROJECTS) {
  test(`check() finds the eggs that pip would install for ${project}`, { skip }, async () => {
    using folder = temporaryFolder();
    const [pip, own] = await Promise.all([
      pipSet(project),
      ourSet(project, folder.path).catch((error) => {
        if (isTransmuteError(error)) return [`${error.code}: ${error.message}`];
        throw error;
      }),
    ]);
    assert.deepEqual(own, pip);
  });
}
