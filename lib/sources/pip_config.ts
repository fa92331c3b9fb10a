/**
 * The user's pip configuration: which index Python projects come from, and credentials for it.
 *
 * Read, first to last in precedence: the variable `PIP_INDEX_URL`; the file that `PIP_CONFIG_FILE`
 * names; the user's `pip.conf` (`pip.ini` on Windows); the machine's. Of the settings, `index-url`
 * of `[install]` and of `[global]`. Without any, the index that pip itself would ask: its address
 * is pip's to know, so pip is asked for it.
 *
 * `extra-index-url` is not read: whoever can publish a name on one of two indexes that stand in for
 * each other decides what runs. A further index is a further source, in an order that the
 * application gives.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import { parseIni } from "./ini_file.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ListingCache } from "./source.ts";

/** How long pip may take to tell its address. */
const ANSWER_MS = 30_000;
const DEFAULT_INDEX_KEY = "pip:default-index";
/** Asks the pip that is installed, or the one that Python carries to install. */
const QUESTION = `
import sys
try:
    import pip._internal.models.index as index
except ImportError:
    import glob, os, ensurepip
    folder = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")
    sys.path[:0] = sorted(glob.glob(os.path.join(folder, "pip-*.whl")))[-1:]
    import pip._internal.models.index as index
print("index:" + index.PyPI.simple_url)
`;

/** What reading the configuration needs of the runtime. */
export type PipSurroundings = Pick<Runtime, "env" | "readTextFile" | "platform" | "run">;

function textAt(path: string, from: PipSurroundings): string | null {
  try {
    return from.readTextFile(path);
  } catch (error) {
    if (isTransmuteError(error)) throw error;
    return null;
  }
}

/** Where configurations are, the strongest first. */
function configFiles(from: PipSurroundings): string[] {
  const named = from.env("PIP_CONFIG_FILE");
  const isWindows = from.platform().os === "win32";
  const [home, folder] = isWindows
    ? [from.env("USERPROFILE"), from.env("APPDATA")]
    : [from.env("HOME"), from.env("XDG_CONFIG_HOME")];
  const name = isWindows ? "pip.ini" : "pip.conf";
  const files = named ? [named] : [];
  if (folder) files.push(joinPath(folder, "pip", name));
  else if (home && !isWindows) files.push(joinPath(home, ".config/pip", name));
  if (home) {
    if (from.platform().os === "darwin") {
      files.push(joinPath(home, "Library/Application Support/pip", name));
    }
    files.push(joinPath(home, isWindows ? "pip" : ".pip", name));
  }
  if (!isWindows) files.push("/etc/pip.conf");
  return files;
}

function indexIn(text: string): string | null {
  const sections = parseIni(text) as Record<string, Record<string, unknown> | undefined>;
  for (const section of ["install", "global"]) {
    const settings = sections[section];
    if (typeof settings !== "object") continue;
    const value = settings["index-url"] ?? settings["index_url"];
    if (typeof value === "string" && value !== "") return value;
  }
  return null;
}

/**
 * The address of the index that is configured, or else of pip's own.
 *
 * @param listings keeps what pip answered
 * @throws {TransmuteError} `source-unreachable` when neither is known, `permission-missing`
 */
export async function configuredIndex(
  listings: ListingCache,
  from: PipSurroundings = runtime,
): Promise<string> {
  const variable = from.env("PIP_INDEX_URL");
  if (variable) return variable;
  for (const path of configFiles(from)) {
    const text = textAt(path, from);
    const index = text === null ? null : indexIn(text);
    if (index !== null) return index;
  }
  const kept = listings.read(DEFAULT_INDEX_KEY);
  if (kept !== null) return kept.body;
  const index = await askPip(from);
  listings.write(DEFAULT_INDEX_KEY, { validators: {}, body: index });
  return index;
}

async function askPip(from: PipSurroundings): Promise<string> {
  const chosen = from.env("TRANSMUTE_PYTHON");
  for (const path of chosen ? [chosen] : ["python3", "python"]) {
    try {
      const command = { path, args: ["-E", "-s", "-c", QUESTION], env: {} };
      const { stdout } = await from.run(command, AbortSignal.timeout(ANSWER_MS));
      const address = /^index:(https?:\S+)$/m.exec(stdout)?.[1];
      if (address !== undefined) return address;
    } catch (error) {
      if (isTransmuteError(error)) throw error;
    }
  }
  throw new TransmuteError(
    "source-unreachable",
    "Cannot tell where PyPI is: found no index in pip's configuration, and no pip to ask",
    { source: "pypi:", hint: "Set PIP_INDEX_URL, or declare an address: pypi+https://…/simple/" },
  );
}

/**
 * Name and password for a host in the user's `.netrc`, as pip takes them; `null` without any, and
 * where this program may not look: most have none there.
 */
export function netrcCredentials(
  host: string,
  from: PipSurroundings = runtime,
): { name: string; password: string } | null {
  try {
    return readNetrc(host, from);
  } catch (error) {
    if (isTransmuteError(error, "permission-missing")) return null;
    throw error;
  }
}

function readNetrc(
  host: string,
  from: PipSurroundings,
): { name: string; password: string } | null {
  const home = from.env("HOME") ?? from.env("USERPROFILE");
  const path = from.env("NETRC") ?? (home ? joinPath(home, ".netrc") : null);
  const words = path === null ? [] : (textAt(path, from) ?? "").split(/\s+/);
  for (let at = 0; at < words.length; at++) {
    if (words[at] !== "machine" || words[at + 1] !== host) continue;
    const known: Record<string, string> = {};
    for (let next = at + 2; next < words.length && words[next] !== "machine"; next += 2) {
      known[words[next]] = words[next + 1];
    }
    if (known.login !== undefined && known.password !== undefined) {
      return { name: known.login, password: known.password };
    }
  }
  return null;
}
