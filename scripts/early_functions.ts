/**
 * Lets a start find the functions that it runs in its runtime's cache of compiled code.
 *
 * V8 compiles a function when it is first called, but one in parentheses with its file; and Deno's
 * cache holds what was compiled with the file. So each function that an idle start runs is put into
 * parentheses, and ahead of all else, where a declaration takes effect too.
 */

import { packEntries } from "../lib/publisher/pack.ts";

/** A function of a file's own level, as the bundler writes it. */
const DECLARATION = /^(?:async )?function (\w+)\([^]*?^\}$/gm;

const PROGRAM = `import * as transmute from "./mod.js";
transmute.require("hello", { sources: ["dist"] });
const { reason } = await transmute.update();
await transmute.import("hello");
console.log(reason);
`;
/** The first start installs, and the second takes note that the first went well. */
const STARTS_BEFORE_IDLE = 2;

/** What Deno writes of one module. */
interface Coverage {
  url: string;
  functions: { ranges: { startOffset: number; count: number }[] }[];
}

/**
 * Puts the functions that an idle start runs where they are compiled with the file.
 *
 * @param code the module that applications import, self-contained
 */
export async function withEarlyFunctions(code: string): Promise<string> {
  const used = await offsetsOfIdleStart(code);
  const early: string[] = [];
  const rest = code.replace(DECLARATION, (text: string, name: string, offset: number) => {
    if (!used.has(offset)) return text;
    early.push(`var ${name} = (${text});`);
    return "";
  });
  if (early.length === 0) throw new Error("Cannot publish: an idle start runs no function");
  return [...early, rest].join("\n");
}

/** Where the functions begin that an idle start runs. */
async function offsetsOfIdleStart(code: string): Promise<Set<number>> {
  const scratch = await Deno.makeTempDir({ prefix: "transmute-idle-" });
  try {
    const { filename, archive } = await packEntries(
      { name: "hello", version: "1.0.0", type: "module", exports: "./index.js" },
      { "index.js": "export const greeting = 'Hi';\n" },
    );
    Deno.mkdirSync(`${scratch}/dist`);
    Deno.writeFileSync(`${scratch}/dist/${filename}`, archive);
    Deno.writeTextFileSync(`${scratch}/package.json`, '{ "type": "module" }');
    Deno.writeTextFileSync(`${scratch}/mod.js`, code);
    Deno.writeTextFileSync(`${scratch}/main.js`, PROGRAM);
    for (let start = 0; start < STARTS_BEFORE_IDLE; start++) await run(scratch, []);
    const reason = await run(scratch, ["--coverage=coverage"]);
    if (reason !== "not-due") throw new Error(`Cannot publish: no start is idle, but ${reason}`);
    return executed(`${scratch}/coverage`);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Runs the program, in surroundings that are the same on every machine. */
async function run(scratch: string, flags: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", ...flags, "main.js"],
    cwd: scratch,
    clearEnv: true,
    env: { DENO_DIR: `${scratch}/deno`, TRANSMUTE_CACHE_DIR: `${scratch}/store`, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const [written, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  if (!success) throw new Error(`Cannot publish: an application does not start:\n${said}`);
  return written;
}

function executed(folder: string): Set<number> {
  const files = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => name.endsWith(".json"));
  const found = files.map((name): Coverage =>
    JSON.parse(Deno.readTextFileSync(`${folder}/${name}`))
  )
    .filter(({ url }) => url.endsWith("/mod.js"));
  return new Set(
    found.flatMap(({ functions }) => functions)
      .filter(({ ranges: [whole] }) => whole.count > 0)
      .map(({ ranges: [whole] }) => whole.startOffset),
  );
}
