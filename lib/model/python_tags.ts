/**
 * Which wheels an interpreter can use, the best first (PEP 425), from what it says about itself.
 * Pure, so that every system can be tested on any.
 *
 * @module
 */

/** What an interpreter says about itself, as far as tags follow from it. */
export interface InterpreterFacts {
  /** `cpython`, `pypy`, … in lower case. */
  implementation: string;
  major: number;
  minor: number;
  /** Of CPython: `""`, or letters such as `t` (free threads), `d`, `m`, `mu`. */
  abiFlags: string;
  /** Of others, the ABI as its extension modules name it: `pypy39_pp73`; absent where there is none. */
  abi?: string;
  /** `sysconfig.get_platform()`: `linux-x86_64`, `macosx-11.0-arm64`, `win-amd64`. */
  platform: string;
  /** Whether it is a 32-bit program, also on a 64-bit system. */
  is32Bit: boolean;
  /** The C library of Linux and its version. */
  libc?: { name: "glibc" | "musl"; major: number; minor: number };
  /** Of macOS: the version of the system. */
  macos?: { major: number; minor: number };
}

/** What says for which machine it is. */
export type PlatformFacts = Pick<InterpreterFacts, "platform" | "is32Bit" | "libc" | "macos">;

const SHORT_NAMES: Record<string, string> = {
  cpython: "cp",
  pypy: "pp",
  ironpython: "ip",
  jython: "jy",
};
/** Names that platforms of old glibc had before versions were written out (PEP 600). */
const OLD_MANYLINUX: Record<string, string> = {
  "2_17": "manylinux2014",
  "2_12": "manylinux2010",
  "2_5": "manylinux1",
};
const THIRTY_TWO_BIT: Record<string, string> = {
  linux_x86_64: "linux_i686",
  linux_aarch64: "linux_armv8l",
};

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, index) => from - index);
}

/** The platforms of Linux: its own, and each older C library that its programs also run with. */
function linuxPlatforms({ platform, is32Bit, libc }: PlatformFacts): string[] {
  const written = platform.replace(/[-.]/g, "_");
  const linux = is32Bit ? THIRTY_TWO_BIT[written] ?? written : written;
  const own = linux.slice("linux_".length);
  const machines = own === "armv8l" ? ["armv8l", "armv7l"] : [own];
  return [
    ...machines.map((machine) => `linux_${machine}`),
    ...libc === undefined ? [] : libcPlatforms(libc, machines),
  ];
}

function libcPlatforms(
  { name, major, minor }: NonNullable<InterpreterFacts["libc"]>,
  machines: string[],
): string[] {
  if (name === "musl") {
    return machines.flatMap((machine) =>
      range(minor, 0).map((it) => `musllinux_${major}_${it}_${machine}`)
    );
  }
  if (major !== 2) return [];
  return machines.flatMap((machine) =>
    range(minor, machine === "x86_64" || machine === "i686" ? 5 : 17).flatMap((it) => {
      const old = OLD_MANYLINUX[`2_${it}`];
      return [`manylinux_2_${it}_${machine}`, ...old === undefined ? [] : [`${old}_${machine}`]];
    })
  );
}

/** The kinds of binary that macOS runs on a machine, the best first. */
function macFormats(machine: string, major: number, minor: number): string[] {
  if (machine === "arm64") return ["arm64", "universal2"];
  if (machine !== "x86_64") return [machine, "universal"];
  return major === 10 && minor < 4
    ? []
    : ["x86_64", "intel", "fat64", "fat32", "universal2", "universal"];
}

function macPlatforms({ platform, macos }: PlatformFacts): string[] {
  const machine = platform.split("-").at(-1)!;
  const { major, minor } = macos ?? { major: 11, minor: 0 };
  const machines = machine === "universal2" ? ["arm64", "x86_64"] : [machine];
  return machines.flatMap((it) => {
    const of = (version: string, formats: string[]) =>
      formats.map((format) => `macosx_${version}_${format}`);
    if (major === 10) return range(minor, 0).flatMap((m) => of(`10_${m}`, macFormats(it, 10, m)));
    return [
      ...range(major, 11).flatMap((m) => of(`${m}_0`, macFormats(it, m, 0))),
      ...range(16, 4).flatMap((m) =>
        of(`10_${m}`, it === "arm64" ? ["universal2"] : macFormats(it, 10, m))
      ),
    ];
  });
}

/** The platforms of wheels that a machine can use, the newest first. */
export function platformTagsOf(facts: PlatformFacts): string[] {
  if (facts.platform.startsWith("linux")) return linuxPlatforms(facts);
  if (facts.platform.startsWith("macosx")) return macPlatforms(facts);
  return [facts.platform.replace(/[-.\s]/g, "_").toLowerCase()];
}

/**
 * The tags of wheels that an interpreter can use, the best first.
 *
 * @see PEP 425, "Use"; PEP 600; PEP 656
 *
 * @example
 * ```ts
 * import { tagsOf } from "./python_tags.ts";
 *
 * const facts = { implementation: "cpython", major: 3, minor: 12, abiFlags: "", is32Bit: false };
 * const [best] = tagsOf({ ...facts, platform: "win-amd64" });
 * if (best !== "cp312-cp312-win_amd64") throw new Error("never");
 * ```
 */
export function tagsOf(facts: InterpreterFacts): string[] {
  const { implementation, major, minor, abiFlags, abi } = facts;
  const platforms = platformTagsOf(facts);
  const name = SHORT_NAMES[implementation] ?? implementation;
  const interpreter = `${name}${major}${minor}`;
  const tags: string[] = [];
  const add = (python: string, abiName: string, on = platforms) => {
    for (const platform of on) tags.push(`${python}-${abiName}-${platform}`);
  };
  if (name === "cp") {
    const hasStableAbi = major === 3 && minor >= 2 && !abiFlags.includes("t");
    add(interpreter, `${interpreter}${abiFlags}`);
    // Since 3.8, a debugging interpreter loads the modules of an ordinary one too.
    if (abiFlags.includes("d") && minor >= 8) add(interpreter, interpreter);
    if (hasStableAbi) add(interpreter, "abi3");
    add(interpreter, "none");
    if (hasStableAbi) { for (const older of range(minor - 1, 2)) add(`cp3${older}`, "abi3"); }
  } else {
    if (abi !== undefined) add(interpreter, abi);
    add(interpreter, "none");
  }
  const pythons = [
    `py${major}${minor}`,
    `py${major}`,
    ...range(minor - 1, 0).map((older) => `py${major}${older}`),
  ];
  for (const python of pythons) add(python, "none");
  tags.push(`${name === "cp" ? interpreter : `${name}${major}`}-none-any`);
  for (const python of pythons) tags.push(`${python}-none-any`);
  return tags;
}
