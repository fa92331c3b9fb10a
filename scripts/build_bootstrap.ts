/**
 * Makes the one file that an application copies: `build/bootstrap.ts`, from `bootstrap.ts` and the
 * modules that it imports, as they are written, so that whoever copies it can read it.
 *
 * A bundler would leave neither comments nor types. The modules are few and our own: their texts
 * are put one after another, what they import first. Every top-level name is unique among them,
 * which TypeScript checks in a test of the result.
 *
 * Run it with `deno task bundle`.
 */

import { dirname, join } from "node:path/posix";
import { readModuleSyntax } from "./module_imports.ts";

const ENTRY = "bootstrap.ts";
/** Whose exports are those of the whole file. */
const PUBLIC = new Set([ENTRY, "bootstrap/load.ts", "bootstrap/settings.ts"]);

const IMPORT_REGEXP = /^import [^;]*;\n/gm;
const HEADER_REGEXP = /^\/\*\*\n([\s\S]*?)\n \*\/\n/;

/** Writes the file into `folder` and gives its path. */
export async function buildBootstrap(folder = "build"): Promise<string> {
  const order: string[] = [];
  await visit(ENTRY, order);
  const texts = await Promise.all(order.map((path) => Deno.readTextFile(path)));
  const entry = texts.pop()!;
  const header = HEADER_REGEXP.exec(entry)![0];
  const parts = texts.map((text, index) => section(order[index], text));
  const end = entry.slice(header.length).replace(IMPORT_REGEXP, "").trim();
  const path = `${folder}/${ENTRY}`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(path, `${[instructed(header), ...parts, end].join("\n\n")}\n`);
  return path;
}

/** Every module after those that it imports. */
async function visit(path: string, order: string[]): Promise<void> {
  if (order.includes(path)) return;
  const { imports } = readModuleSyntax(path, await Deno.readTextFile(path));
  for (const { specifier } of imports) {
    if (!specifier.startsWith(".")) continue; // what it imports by a variable is no module of ours
    const imported = join(dirname(path), specifier);
    if (!order.includes(imported)) await visit(imported, order);
  }
  order.push(path);
}

/** The copy need not be made again by whoever reads it. */
function instructed(header: string): string {
  const [before, after] = header.split(/ \* `deno task bundle`[\s\S]*? Copy that,\n/);
  if (after === undefined) throw new Error(`${ENTRY} no longer says how its copy is made`);
  return `${before} * Copy this file, and\n${after}`.trimEnd();
}

function section(path: string, text: string): string {
  const title = HEADER_REGEXP.exec(text)![1].split("\n")
    .map((line) => line.replace(/^ \* ?/, ""))
    .filter((line) => line !== "" && line !== "@module");
  const body = text.replace(HEADER_REGEXP, "").replace(IMPORT_REGEXP, "").trim();
  const own = PUBLIC.has(path) ? body : body.replace(/^export /gm, "");
  return [...title.map((line) => `// ═════ ${line}`), "", own].join("\n");
}
