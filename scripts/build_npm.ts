/**
 * Makes the npm package: `npm/`, with its tarball beside the files.
 *
 * Deno bundles; what its own `deno pack` cannot write (an unscoped name, `bin`, `engines`,
 * keywords) is written here. The package has no dependencies: the bundle holds them.
 *
 * Run it with `deno task build:npm`.
 */

import { buildBootstrap } from "./build_bootstrap.ts";
import { bundle } from "./bundle.ts";

/** What npm calls the project. */
export const NPM_NAME = "transmute-js";

const DESCRIPTION = "Keeps an application's components up to date, by itself, when it starts";
const KEYWORDS = ["update", "updater", "self-update", "auto-update", "npm", "deno", "bun"];
const ENGINES = { node: ">=22.15.0", bun: ">=1.4.0", deno: ">=2.9.0" };
const DOCUMENTS = ["README.md", "LICENSE", "CHANGELOG.md"];
const COMMAND = "lib/cli/main.ts";

/** The fields of `deno.json` that the package takes over. */
interface DenoConfiguration {
  version: string;
  license: string;
  exports: Record<string, string>;
}

/**
 * Builds the package into `folder`, which is made anew, and packs it.
 *
 * @param folder relative to the working directory, which is the project's root
 * @returns the tarball's path
 */
export async function buildNpm(folder = "npm"): Promise<string> {
  const configuration: DenoConfiguration = JSON.parse(await Deno.readTextFile("deno.json"));
  await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(folder, { recursive: true });
  const files: string[] = [];

  const exports: Record<string, { types?: string; default: string }> = {};
  for (const [subpath, entry] of Object.entries(configuration.exports)) {
    if (entry === `./${COMMAND}`) {
      exports[subpath] = { default: "./main.js" };
      continue;
    }
    if (!/^\.\/\w+\.ts$/.test(entry)) {
      throw new Error(`Cannot build ${entry}: it is not at the top`);
    }
    const name = entry.slice(0, -".ts".length);
    await bundle({ entry, folder });
    exports[subpath] = { types: `${name}.d.ts`, default: `${name}.js` };
    files.push(`${name}.js`.slice(2), `${name}.d.ts`.slice(2));
  }
  await bundle({ entry: COMMAND, folder, types: false });
  const text = await Deno.readTextFile(`${folder}/main.js`);
  await Deno.writeTextFile(`${folder}/main.js`, `#!/usr/bin/env node\n${text}`);
  files.push("main.js");
  // To be copied, not imported: it lies in the package for whoever has no checkout.
  await buildBootstrap(folder);
  files.push("bootstrap.ts");
  for (const document of DOCUMENTS) {
    if (await exists(document)) await Deno.copyFile(document, `${folder}/${document}`);
  }
  const manifest = {
    name: NPM_NAME,
    version: configuration.version,
    description: DESCRIPTION,
    keywords: KEYWORDS,
    license: configuration.license,
    type: "module",
    exports,
    bin: { transmute: "./main.js" },
    files: [...files, ...DOCUMENTS.filter((document) => document === "CHANGELOG.md")],
    engines: ENGINES,
  };
  await Deno.writeTextFile(`${folder}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  return await pack(folder);
}

/** Packs the folder with npm, which sets all times to one: the same files give the same bytes. */
async function pack(folder: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("npm", {
    args: ["pack", "--ignore-scripts", "--json", "--offline"],
    cwd: folder,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot pack ${folder}:\n${decoder.decode(stderr)}`);
  const answer = JSON.parse(decoder.decode(stdout));
  // A list in npm 10 and 11, an object by name from npm 12 on.
  const [{ filename }] = Array.isArray(answer)
    ? answer
    : Object.values<{ filename: string }>(answer);
  return `${folder}/${filename}`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error) => (ignoreMissing(error), false));
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

if (import.meta.main) {
  const tarball = await buildNpm();
  console.log(`${tarball}: ${(await Deno.stat(tarball)).size} bytes`);
}
