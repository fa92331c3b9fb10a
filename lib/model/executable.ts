/**
 * Executables as eggs: what the name of one says, `mytool-1.2.3-x86_64-unknown-linux-gnu.gz`.
 *
 * Pure, and loads no library: folders are listed on the start-up path.
 *
 * @module
 */

import type { ExecutableFile, Manifest } from "./egg.ts";

const SYSTEMS: Record<string, Pick<Manifest, "os" | "libc">> = {
  "unknown-linux-gnu": { os: ["linux"], libc: ["glibc"] },
  "unknown-linux-musl": { os: ["linux"], libc: ["musl"] },
  "apple-darwin": { os: ["darwin"] },
  "pc-windows-msvc": { os: ["win32"] },
  "pc-windows-gnu": { os: ["win32"] },
};
const PROCESSORS: Record<string, string> = { x86_64: "x64", aarch64: "arm64" };

/** Every target that is known, for messages and for publishers. */
export function knownTargets(): string[] {
  return Object.keys(PROCESSORS)
    .flatMap((processor) => Object.keys(SYSTEMS).map((system) => `${processor}-${system}`));
}

/** For which machines a target is, in npm's words; `null` for one that is not known. */
export function platformOfTarget(
  target: string,
): Required<Pick<Manifest, "os" | "cpu">> & Pick<Manifest, "libc"> | null {
  const dash = target.indexOf("-");
  const [processor, system] = [target.slice(0, dash), target.slice(dash + 1)];
  if (!Object.hasOwn(PROCESSORS, processor) || !Object.hasOwn(SYSTEMS, system)) return null;
  const { os, libc } = SYSTEMS[system];
  return { os: os!, cpu: [PROCESSORS[processor]], ...(libc === undefined ? {} : { libc }) };
}

/**
 * What the name of an executable claims; `null` when it is not the name of one.
 *
 * @example
 * ```ts
 * import { parseExecutableName } from "./executable.ts";
 *
 * const file = parseExecutableName("mytool-1.2.3-x86_64-pc-windows-msvc.exe.gz");
 * if (file?.program !== "mytool.exe" || file.packing !== "gz") throw new Error("never");
 * ```
 */
export function parseExecutableName(name: string): ExecutableFile | null {
  const [, project, version, target, exe, packing] =
    /^([A-Za-z0-9][\w.-]*?)-v?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]*?)?)-((?:x86_64|aarch64)-[a-z-]+)(\.exe)?(?:\.(gz|zst))?$/
      .exec(name) ?? [];
  if (project === undefined || platformOfTarget(target) === null) return null;
  return {
    project,
    version,
    target,
    packing: (packing as "gz" | "zst" | undefined) ?? null,
    program: project + (exe ?? ""),
  };
}

/** The manifest of an executable, as an npm package of it would have it. */
export function manifestOfExecutable(file: ExecutableFile): Manifest {
  return { name: file.project, version: file.version, ...platformOfTarget(file.target)! };
}
