/**
 * Wheels that hold a program of one file, by their names: `mytool-1.2.3-py3-none-win_amd64.whl`.
 * Tags are those of an interpreter that could be on the machine; none need be there. Pure.
 *
 * @module
 */

import type { ExecutableFile } from "./egg.ts";
import type { PythonFile } from "./python.ts";
import type { PlatformFacts } from "./python_tags.ts";
import { platformTagsOf } from "./python_tags.ts";

/** A program in a wheel, for one target. */
export interface WheelExecutable {
  file: ExecutableFile;
  /** The higher, the older the system may be that the program runs on. */
  reach: number;
}

/** Newer than all there are. Whether a machine's own is new enough, the program shows when it is run. */
const NEWEST = 99;
const GLIBC = { name: "glibc" as const, major: 2, minor: NEWEST };
const MUSL = { name: "musl" as const, major: 1, minor: NEWEST };
const MACOS = { macos: { major: NEWEST, minor: 0 } };
/** Of each target, the newest machine. */
const MACHINES: Record<string, Omit<PlatformFacts, "is32Bit">> = {
  "x86_64-unknown-linux-gnu": { platform: "linux-x86_64", libc: GLIBC },
  "aarch64-unknown-linux-gnu": { platform: "linux-aarch64", libc: GLIBC },
  "x86_64-unknown-linux-musl": { platform: "linux-x86_64", libc: MUSL },
  "aarch64-unknown-linux-musl": { platform: "linux-aarch64", libc: MUSL },
  "x86_64-apple-darwin": { platform: "macosx-11.0-x86_64", ...MACOS },
  "aarch64-apple-darwin": { platform: "macosx-11.0-arm64", ...MACOS },
  "x86_64-pc-windows-msvc": { platform: "win-amd64" },
  "aarch64-pc-windows-msvc": { platform: "win-arm64" },
};
/** A tag of what needs an interpreter at most to be installed. */
const PROGRAM_TAG = /^py\d+-none-(?!any$)(\w+)$/;
/** Tags that are named in a message; a name may have hundreds. */
const SHOWN_TAGS = 3;

let machines: Map<string, Map<string, number>> | undefined;

/** By target: the platforms that a wheel may name, and how far each reaches. */
function platformsByTarget(): Map<string, Map<string, number>> {
  return machines ??= new Map(
    Object.entries(MACHINES).map(([target, facts]) => {
      const tags = platformTagsOf({ ...facts, is32Bit: false });
      return [target, new Map(tags.map((tag, index) => [tag, index]))];
    }),
  );
}

function platformsOf({ tags = [] }: PythonFile): string[] {
  return tags.flatMap((tag) => PROGRAM_TAG.exec(tag)?.[1] ?? []);
}

/**
 * The programs that a wheel may hold, one for each target that its tags name; none where they name
 * no machine that is known.
 *
 * @param project as it is asked for, which is the program's name too
 *
 * @example
 * ```ts
 * import { executablesOfWheel } from "./executable_wheel.ts";
 * import { parsePythonFileName } from "./python_file.ts";
 *
 * const wheel = parsePythonFileName("mytool-1.2.3-py3-none-win_amd64.whl")!;
 * const [{ file }] = executablesOfWheel(wheel, "mytool");
 * if (file.target !== "x86_64-pc-windows-msvc") throw new Error("never");
 * ```
 */
export function executablesOfWheel(wheel: PythonFile, project: string): WheelExecutable[] {
  const named = platformsOf(wheel);
  return Array.from(platformsByTarget(), ([target, reaches]) => {
    const program = target.includes("windows") ? `${project}.exe` : project;
    return {
      file: { project, version: wheel.version, target, packing: "whl" as const, program },
      reach: Math.max(...named.map((platform) => reaches.get(platform) ?? -1), -1),
    };
  }).filter(({ reach }) => reach >= 0);
}

/** Why a wheel holds no program for any known machine, in words. */
export function whyNoExecutable(wheel: PythonFile): string {
  const named = platformsOf(wheel);
  if (named.length > 0) return `for ${named.slice(0, SHOWN_TAGS).join(" or ")} only`;
  const { tags = [] } = wheel;
  const machine = tags.every((tag) => tag.endsWith("-any"))
    ? "every machine"
    : "interpreters of Python";
  const shown = tags.filter((tag) => /^[\w-]+$/.test(tag)).slice(0, SHOWN_TAGS).join(", ");
  return `is a wheel for ${machine} (${shown}), which holds no program`;
}
