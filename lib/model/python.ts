/**
 * Values about Python eggs: what a file's name claims, what its metadata says, what an interpreter
 * says about itself.
 *
 * @module
 */

/** The kinds of archive that hold a release of a Python project. */
export type PythonFileKind = "wheel" | "egg" | "sdist";

/** What the name of a Python archive claims. */
export interface PythonFile {
  /** Which of them it is. */
  kind: PythonFileKind;
  /** The project's normalised name: `foo-bar`. */
  project: string;
  /** As the name writes it; PEP 440. */
  version: string;
  /** Of a wheel: every tag that it fits, such as `py3-none-any`; compressed sets are expanded. */
  tags?: string[];
  /** Of a wheel: its build tag, which orders wheels that fit equally well: `1`, `2_local`. */
  build?: string;
  /** Of an egg: the `X.Y` of its interpreter, where its name has one. */
  pythonVersion?: string;
  /** Of an egg: the platform that its extension modules are for: `linux-x86_64`. */
  platform?: string;
}

/** The parts of a Python egg's metadata that Transmute acts on; the core metadata's own words. */
export interface PythonManifest {
  /** The project's name as its publisher writes it. */
  name: string;
  /** As its publisher writes it; PEP 440. */
  version: string;
  /** The interpreters that it fits, as a version specifier: `>=3.9`. */
  requiresPython?: string;
  /** What it needs, each a requirement of PEP 508 with its marker; extras as `extra == "name"`. */
  requires: string[];
  /** The names of its extras, normalised. */
  extras: string[];
}

/** What makes a release one of a Python project. */
export interface PythonRelease {
  /** What the file's name claims. */
  file: PythonFile;
  /** The interpreters that the listing says it fits: `>=3.9`. */
  requiresPython?: string;
  /** The publisher's words, or an empty text, when the file was yanked (PEP 592). */
  yanked?: string;
  /** Where its metadata can be had without the archive (PEP 658), and its digest. */
  metadata?: { locator: string; digests: string[] };
  /** Its metadata, once it is known. */
  manifest?: PythonManifest;
}

/** The variables of environment markers (PEP 508), without `extra`. */
export type MarkerEnvironment = Record<
  | "os_name"
  | "sys_platform"
  | "platform_machine"
  | "platform_python_implementation"
  | "platform_release"
  | "platform_system"
  | "platform_version"
  | "python_version"
  | "python_full_version"
  | "implementation_name"
  | "implementation_version",
  string
>;

/** What a Python interpreter says about itself. */
export interface Interpreter {
  /** Absolute: what is run. */
  path: string;
  /** `3.11.7`, as `python_full_version` has it. */
  version: string;
  /** The tags of wheels that it can use, the best first (PEP 425): `cp311-cp311-manylinux_2_17_x86_64`. */
  tags: string[];
  /** The platform of eggs with extension modules, as setuptools writes it: `linux-x86_64`. */
  eggPlatform: string;
  markers: MarkerEnvironment;
}

/** What extension modules must be built for: the first two parts of its best tag, `cp311-cp311`. */
export function abiOf({ tags }: Interpreter): string {
  return tags[0].split("-", 2).join("-");
}

/** A Python egg that is there without Transmute, such as one on `PYTHONPATH`: it holds its project. */
export interface PresentPythonEgg {
  /** Normalised. */
  project: string;
  version: string;
  /** The file or folder that it was found in. */
  location: string;
}
