/**
 * Which npm packages a bundle holds, under which licences, and the notices that these ask for.
 */

import { relative } from "node:path";

/** One npm package that is part of a bundle. */
export interface BundledPackage {
  name: string;
  version: string;
  /** An SPDX identifier. */
  license: string;
  /** The text of its licence file, or `null` when it brings none. */
  text: string | null;
}

/** Licences that ask for no more than a notice. Another one is for a person to decide on. */
const ALLOWED_LICENSES = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
]);

/**
 * Finds the packages whose files the bundler marked by their place in Deno's npm cache, and
 * rewrites these marks to `npm:<name>@<version>/<file>`, the same on every machine.
 *
 * @throws {Error} when a package has a licence that nobody has agreed to.
 */
export async function bundledPackages(
  code: string,
  npmCache: string,
): Promise<{ code: string; packages: BundledPackage[] }> {
  const cache = RegExp.escape(relative(Deno.cwd(), npmCache).replaceAll("\\", "/"));
  const mark = new RegExp(`${cache}/([^/\\s"]+)/((?:@[^/\\s"]+/)?[^/\\s"]+)/([^/\\s"]+)/`, "g");
  const folders = new Map<string, string>();
  const rewritten = code.replace(mark, (_, registry, name, version) => {
    folders.set(`${name}@${version}`, `${npmCache}/${registry}/${name}/${version}`);
    return `npm:${name}@${version}/`;
  });
  const packages = await Promise.all([...folders.values()].map(readPackage));
  const order = (one: BundledPackage) => `${one.name}@${one.version}`;
  packages.sort((a, b) => order(a) < order(b) ? -1 : 1);
  return { code: rewritten, packages };
}

async function readPackage(folder: string): Promise<BundledPackage> {
  const manifest = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  const { name, version } = manifest;
  const license = manifest.license?.type ?? manifest.license;
  if (!ALLOWED_LICENSES.has(license)) {
    throw new Error(
      `Cannot publish the bundle: ${name}@${version} is under ${license}, which is not one of ${
        [...ALLOWED_LICENSES].join(", ")
      }`,
    );
  }
  let text: string | null = null;
  for (const file of [...Deno.readDirSync(folder)].map(({ name }) => name).sort()) {
    if (/^(licen[cs]e|copying)(\.(md|txt))?$/i.test(file)) {
      text = (await Deno.readTextFile(`${folder}/${file}`)).replaceAll("\r\n", "\n").trim();
    }
  }
  return { name, version, license, text };
}

/** The comment that a bundle starts with. */
export function noticeHeader(title: string, license: string, packages: BundledPackage[]): string {
  return [
    "/*!",
    ` * ${title} (${license}). Made by \`deno task bundle\`; not to be edited.`,
    ...packages.length === 0 ? [] : [" *", " * Holds, with their licences at the end:"],
    ...packages.map(({ name, version, license }) => ` * - ${name} ${version} (${license})`),
    " */",
  ].join("\n");
}

/** The comment that a bundle ends with: each licence's text once, under all that it covers. */
export function noticeTexts(packages: BundledPackage[]): string {
  const covered = new Map<string, string[]>();
  for (const { name, version, license, text } of packages) {
    const key = text ?? `(no licence file; its package.json says ${license})`;
    covered.set(key, [...covered.get(key) ?? [], `${name} ${version}`]);
  }
  const notices = [...covered].map(([text, names]) => `${names.join(", ")}:\n\n${text}`);
  if (notices.length === 0) return "";
  return `/*!\n${notices.join("\n\n---\n\n").replaceAll("*/", "* /")}\n*/\n`;
}
