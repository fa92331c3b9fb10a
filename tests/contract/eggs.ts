/**
 * The eggs that the contract of sources publishes: npm tarballs, or wheels.
 *
 * @module
 */

import type { Ecosystem } from "../../lib/model/egg.ts";
import { packEntries } from "../../lib/publisher/pack.ts";
import type { ContractEgg } from "./subject.ts";
import { packWheel } from "./wheel.ts";

/** What an egg is made with besides its name and version. */
export interface EggContent {
  /** About how long its archive becomes. @default {0} */
  bytes?: number;
  /** Another one is another content. @default {1} */
  seed?: number;
  /** Of a wheel: how its file writes the project's name. @default {as it is, with "_" for "-"} */
  written?: string;
  /** Of a wheel: which interpreters it fits. @default {"py3-none-any"} */
  tag?: string;
}

/** The eggs of one ecosystem, for the clauses to be said of. */
export interface Eggs {
  readonly ecosystem: Ecosystem;
  /** Three versions that order differently as texts, a pre-release among them. */
  readonly versions: readonly string[];
  /** Projects whose names a careless source takes for that of `hello`. */
  readonly neighbours: readonly string[];
  /** The name of a project as the tested kind of source writes it. */
  named(project: string): string;
  /** An egg of a project, under the name that `named` gives that. */
  make(project: string, version: string, content?: EggContent): Promise<ContractEgg>;
}

/** The eggs of an ecosystem, under the names that a kind of source has. */
export function eggsOf(ecosystem: Ecosystem, named: Eggs["named"]): Eggs {
  return ecosystem === "python"
    ? {
      ecosystem,
      versions: ["1.0.0", "1.1.0rc1", "10.0.0"],
      neighbours: ["hello-world", "hell", "hello-1-0-0"],
      named,
      make: (project, ...more) => makeWheel(named(project), ...more),
    }
    : {
      ecosystem,
      versions: ["1.0.0", "1.1.0-rc.1", "10.0.0"],
      neighbours: ["hello-world", "hell", "@scope/hello"],
      named,
      make: (project, ...more) => makeTarball(named(project), ...more),
    };
}

async function makeTarball(
  name: string,
  version: string,
  { bytes = 0, seed = 1 }: EggContent = {},
): Promise<ContractEgg> {
  const files = { "index.js": `export const seed = ${seed};`, "noise.bin": noise(bytes, seed) };
  return { ...await packEntries({ name, version }, files), ecosystem: "js" };
}

async function makeWheel(
  name: string,
  version: string,
  { bytes = 0, seed = 1, written = name, tag = "py3-none-any" }: EggContent = {},
): Promise<ContractEgg> {
  const files = {
    "hello.py": new TextEncoder().encode(`SEED = ${seed}\n`),
    "noise.bin": noise(bytes, seed),
  };
  const wheel = await packWheel(written, version, { tag, files });
  return { ...wheel, manifest: { name, version }, ecosystem: "python" };
}

/** Bytes that do not compress, the same for the same seed. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 0x9e3779b1 | 1;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state;
  }
  return bytes;
}
