/**
 * Makes the one self-contained file that is published: `build/mod.js`, with `build/mod.d.ts`; and
 * `build/bootstrap.ts`, which applications copy.
 *
 * `mod.ts` works by itself only where inline `npm:` specifiers do; the bundle works everywhere,
 * and one file costs less at start than many. Dependencies are inlined and evaluated when they
 * are first needed.
 *
 * Run it with `deno task bundle`.
 */

import { basename } from "node:path";
import { buildBootstrap } from "./build_bootstrap.ts";
import { flatDeclarations } from "./declarations.ts";
import { withEarlyFunctions } from "./early_functions.ts";
import { readModuleSyntax } from "./module_imports.ts";
import { joinChunks } from "./lazy_chunks.ts";
import type { BundledPackage } from "./notices.ts";
import { bundledPackages, noticeHeader, noticeTexts } from "./notices.ts";

/** What is made, and from what; all paths are relative to the working directory. */
export interface BundleOptions {
  /** @default {"mod.ts"} */
  entry?: string;
  /** Where the `.js` and the `.d.ts` go, named as the entry. @default {"build"} */
  folder?: string;
  /** Whether there are types to be written: a command exports nothing. @default {true} */
  types?: boolean;
}

/** What applications import, and pay for at every start. */
const MAIN_ENTRY = "mod.ts";

/** A character beyond ASCII: with one of them, V8 holds and scans the file at twice the size. */
// deno-lint-ignore no-control-regex
const BEYOND_ASCII_REGEXP = /[^\x00-\x7f]/g;

/**
 * Esbuild's door to built-ins for CommonJS. As an import it would load Node's compatibility layer
 * in every Deno program that imports Transmute, needed or not, and fail from a URL.
 */
const EAGER_REQUIRE_REGEXP =
  /^import \{ createRequire as (\w+) \} from "node:module";\nvar __require = \1\(import\.meta\.url\);$/m;

const LAZY_REQUIRE = `var __require = (name) => {
  const builtin = globalThis.process.getBuiltinModule(name);
  if (builtin === undefined) throw new Error(\`Cannot load "\${name}": it is not built in\`);
  return builtin;
};`;

/**
 * Bundles the entry. Two runs give the same bytes, on any machine.
 *
 * @throws {Error} when the result would import something: it names what.
 */
export async function bundle(options: BundleOptions = {}): Promise<void> {
  const { entry = MAIN_ENTRY, folder = "build", types = true } = options;
  const name = basename(entry, ".ts");
  const npmCache = await npmCacheFolder();
  const { version, license } = JSON.parse(await Deno.readTextFile("deno.json"));
  const chunks = new Map<string, string>();
  const held = new Map<string, BundledPackage>();
  for (const [file, raw] of await chunksOf(entry)) {
    const { code, packages } = await bundledPackages(
      raw.replace(EAGER_REQUIRE_REGEXP, LAZY_REQUIRE),
      npmCache,
    );
    refuseImports(code);
    chunks.set(file, code);
    for (const one of packages) held.set(`${one.name}@${one.version}`, one);
  }
  const packages = [...held].sort(([a], [b]) => a < b ? -1 : 1).map(([, one]) => one);
  const joined = (await joinChunks(chunks, `${name}.js`, `transmute-${version}`)).trim();
  const code = entry === MAIN_ENTRY ? await withEarlyFunctions(joined) : joined;
  const text = [
    ...types ? [`// @ts-self-types="./${name}.d.ts"`] : [],
    noticeHeader(`Transmute ${version}`, license, packages),
    code,
    noticeTexts(packages),
  ].join("\n\n").replace(BEYOND_ASCII_REGEXP, escaped);
  for (const path of [Deno.cwd(), npmCache, Deno.env.get("HOME")]) {
    if (path === undefined || path.length <= 1) continue;
    if ([text, ...chunks.values()].some((one) => one.includes(`${path}/`))) {
      throw new Error(
        `Cannot publish the bundle: it names ${path}/, which is on this machine only`,
      );
    }
  }
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/${name}.js`, text);
  if (types) await Deno.writeTextFile(`${folder}/${name}.d.ts`, await flatDeclarations(entry));
}

/** What Deno's bundler makes of an entry: its own file, and one for each part that loads alone. */
async function chunksOf(entry: string): Promise<[file: string, text: string][]> {
  const scratch = await Deno.makeTempDir({ prefix: "transmute-bundle-" });
  try {
    await run(["bundle", "--quiet", "--code-splitting", `--outdir=${scratch}`, entry]);
    const files = Array.from(Deno.readDirSync(scratch), ({ name }) => name).sort();
    return files.map((file) => [file, Deno.readTextFileSync(`${scratch}/${file}`)]);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** As strings, regular expressions and names may hold it. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A file that imports more than other chunks is not self-contained, or starts slowly. */
function refuseImports(code: string): void {
  const { imports } = readModuleSyntax("mod.js", code);
  const eager = imports.map(({ kind, specifier }) => ({ kind, specifier }))
    .filter(({ kind, specifier }) => kind === "eager" && !specifier.startsWith("./"))
    .map(({ specifier }) => specifier);
  if (eager.length > 0) {
    throw new Error(
      `Cannot publish the bundle: it imports ${eager.join(", ")} when it is loaded. ` +
        "A dependency written as an ES module names it: take it lazily, or another dependency",
    );
  }
  const outside = imports
    .filter(({ kind, specifier }) => kind === "lazy" && !/^(node:|\.\/)/.test(specifier))
    .map(({ specifier }) => specifier);
  if (outside.length > 0) {
    throw new Error(`Cannot publish the bundle: it does not hold ${outside.join(", ")}`);
  }
}

async function npmCacheFolder(): Promise<string> {
  return JSON.parse(await run(["info", "--json"])).npmCache;
}

/** What a subcommand of this very Deno prints. */
async function run(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot run deno ${args.join(" ")}:\n${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

if (import.meta.main) {
  await bundle();
  for (const file of ["build/mod.js", "build/mod.d.ts", await buildBootstrap()]) {
    console.log(`${file}: ${(await Deno.stat(file)).size} bytes`);
  }
}
