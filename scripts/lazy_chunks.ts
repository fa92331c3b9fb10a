/**
 * Puts a bundle of many chunks into one file that starts as fast as its eager chunks alone.
 *
 * A start pays for every byte that its runtime must read as code, used or not: five to twenty
 * milliseconds for a bundle of which an idle start runs a tenth. So only what an entry imports
 * statically stays code. Every other chunk becomes a compressed text in the same file, unpacked
 * and evaluated when an `import()` asks for it. Each text is in a function of its own: what no
 * function that has run refers to is not in a runtime's cache of compiled code either, which Deno
 * reads at every start.
 */

import * as esbuild from "npm:esbuild@0.25.5";
import type { ModuleSyntax } from "./module_imports.ts";
import { readModuleSyntax } from "./module_imports.ts";

/** The function that stands in for `import()` of a chunk. */
const LOAD = "__loadChunk";
/** The module that defines it. */
const LOADER = "./chunk_loader.js";

/** The module that tells it of what lazy chunks need of eager ones. */
const SHARING = "./shared_chunks.js";

/** An `import()` of another chunk, as the bundler writes it. */
const CHUNK_IMPORT_REGEXP = /\bimport\("(\.\/[\w.-]+\.js)"\)/g;

/** A chunk that is evaluated when it is asked for. */
interface LazyChunk {
  /** The chunks that it imports statically, lazy ones among them. */
  needs: string[];
  /** Its text as a function's body, compressed, in base64. */
  text: string;
}

/**
 * Joins chunks into one module.
 *
 * @param chunks the texts by file name, with what they import as `./name.js`
 * @param entry the chunk whose exports are those of the result
 * @param title begins the names of lazy chunks in stack traces
 */
export async function joinChunks(
  chunks: Map<string, string>,
  entry: string,
  title: string,
): Promise<string> {
  for (const [name, text] of chunks) refuseBareCommonJs(name, text);
  const syntax = new Map(
    Array.from(chunks, ([name, text]) => [name, readModuleSyntax(name, text)]),
  );
  const eager = reachable(`./${entry}`, syntax);
  const lazy = new Map<string, LazyChunk>();
  for (const [name, text] of chunks) {
    if (eager.has(`./${name}`)) continue;
    lazy.set(`./${name}`, {
      needs: eagerImports(syntax.get(name)!).filter((needed) => !eager.has(needed)),
      text: await compressed(await functionBody(text), `${title}/${name}`),
    });
  }
  // What lazy chunks import of eager ones must be the eager ones' own, not a second copy.
  const shared = new Set(
    Array.from(lazy.keys(), (name) => eagerImports(syntax.get(name.slice(2))!)).flat()
      .filter((needed) => eager.has(needed)),
  );
  const files = new Map([...eager].map((name) => [name, withLoader(chunks.get(name.slice(2))!)]));
  if (lazy.size > 0) files.set(LOADER, loaderModule(lazy));
  return await flattened(files, `./${entry}`, [...shared].sort());
}

/** An `import()` of a CommonJS package gives its exports as `default` alone in a chunk. */
function refuseBareCommonJs(name: string, text: string): void {
  if (!/^export default require_\w+\(\);$/m.test(text)) return;
  throw new Error(
    `Cannot publish ${name}: it is a CommonJS package that import() names. ` +
      "Import it statically, in a file that is itself imported lazily",
  );
}

/** A chunk and all that it imports statically, however far. */
function reachable(name: string, syntax: Map<string, ModuleSyntax>, found = new Set<string>()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const needed of eagerImports(syntax.get(name.slice(2))!)) reachable(needed, syntax, found);
  return found;
}

function eagerImports({ imports }: ModuleSyntax): string[] {
  return imports.filter(({ kind, specifier }) => kind === "eager" && specifier.startsWith("./"))
    .map(({ specifier }) => specifier);
}

function withLoader(text: string): string {
  const replaced = text.replace(CHUNK_IMPORT_REGEXP, `${LOAD}("$1")`);
  return replaced === text ? text : `import { ${LOAD} } from "${LOADER}";\n${replaced}`;
}

/** A chunk as the body of a function of `module`, `exports`, `require` and the loader. */
async function functionBody(text: string): Promise<string> {
  const { code } = await esbuild.transform(text.replace(CHUNK_IMPORT_REGEXP, `${LOAD}("$1")`), {
    format: "cjs",
    target: "esnext",
    minifyWhitespace: true,
    minifySyntax: true,
    // A runtime prints the line of an uncaught error.
    lineLimit: 120,
    charset: "ascii",
    legalComments: "none",
  });
  if (/\bimport_meta\b/.test(code)) throw new Error("Cannot publish a lazy chunk with import.meta");
  return code;
}

async function compressed(code: string, name: string): Promise<string> {
  const text = `${code}\n//# sourceURL=${name}`;
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  bytes[9] = 255; // of the system that compressed it, nothing is said: the same bytes everywhere
  return bytes.toBase64();
}

/** The module that unpacks and evaluates chunks, each once. */
function loaderModule(lazy: Map<string, LazyChunk>): string {
  return `
const lazyChunks = {
${
    Array.from(lazy, ([name, { needs, text }]) =>
      `  ${JSON.stringify(name)}: { needs: ${JSON.stringify(needs)}, text: () => "${text}" },`)
      .join("\n")
  }
};
const loadedChunks = new Map();
const chunkExports = new Map();

/** Makes an eager chunk's exports known to lazy ones. */
export function shareChunk(name, exports) {
  chunkExports.set(name, exports);
}

/** Stands for import() of a chunk of this file. */
export function ${LOAD}(name) {
  let loaded = loadedChunks.get(name);
  if (loaded === undefined) loadedChunks.set(name, loaded = evaluateChunk(name));
  return loaded;
}

/** The way that loads least: in Node, streams bring its whole HTTP client; in Deno, zlib is slow. */
async function expandChunk(text) {
  if (!("Deno" in globalThis)) {
    const { gunzipSync } = process.getBuiltinModule("node:zlib");
    return gunzipSync(Buffer.from(text, "base64")).toString("latin1");
  }
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}

async function evaluateChunk(name) {
  const { needs, text } = lazyChunks[name];
  const [code] = await Promise.all([expandChunk(text()), ...needs.map(${LOAD})]);
  const module = { exports: {} };
  const evaluate = new Function("module", "exports", "require", "${LOAD}", code);
  evaluate(module, module.exports, (needed) => chunkExports.get(needed), ${LOAD});
  chunkExports.set(name, module.exports);
  return module.exports;
}
`;
}

/** One module of the eager chunks, sharing what lazy ones need. */
async function flattened(
  files: Map<string, string>,
  entry: string,
  shared: string[],
): Promise<string> {
  const sharing = shared.flatMap((name, index) => [
    `import * as chunk${index} from "${name}";`,
    `shareChunk("${name}", chunk${index});`,
  ]);
  if (shared.length > 0) {
    files.set(SHARING, [`import { shareChunk } from "${LOADER}";`, ...sharing].join("\n"));
  }
  // Shared before the entry runs: a command asks for lazy chunks at once.
  const head = shared.length > 0 ? [`import "${SHARING}";`] : [];
  const { outputFiles: [{ text }] } = await esbuild.build({
    stdin: { contents: [...head, `export * from "${entry}";`].join("\n"), sourcefile: "entry.js" },
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    platform: "neutral",
    treeShaking: true,
    // Not in one line: a runtime prints the line of an uncaught error, and that would be all of it.
    minifySyntax: true,
    charset: "ascii",
    legalComments: "none",
    plugins: [{
      name: "chunks",
      setup(build) {
        build.onResolve({ filter: /^\.\// }, ({ path }) => ({ path, namespace: "chunk" }));
        build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true }));
        build.onLoad({ filter: /.*/, namespace: "chunk" }, ({ path }) => ({
          contents: files.get(path)!,
        }));
      },
    }],
  });
  return text;
}
