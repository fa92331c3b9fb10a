/**
 * The user's npm configuration: which registry a project comes from, and the credentials for it.
 *
 * Read, first to last in precedence:
 *
 * - the variables `npm_config_registry` and `NPM_CONFIG_REGISTRY`;
 * - `.npmrc` in the working directory, when the program itself lies in or below that folder. A
 *   tool that is started somewhere else must not be led to another registry by what lies there;
 * - the user's `.npmrc`: in the home folder (`HOME`, on Windows `USERPROFILE`), or where
 *   `npm_config_userconfig` or `NPM_CONFIG_USERCONFIG` says.
 *
 * Of the settings: `registry`, `@scope:registry`, and per address `_authToken`, `_auth`,
 * `username` with `_password`. `${NAME}` stands for a variable, which is read when the setting is
 * needed. Credentials belong to an address: those without one, as old versions of npm wrote, are
 * ignored.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import { decodedText } from "../model/encoded_text.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath, pathOfFileUrl } from "../runtime/paths.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { parseIni } from "./ini_file.ts";
import { addressKind } from "./private_address.ts";

/** What reading the configuration needs of the runtime. */
export type ConfigSurroundings = Pick<
  Runtime,
  "env" | "readTextFile" | "fileErrorKind" | "mainModule" | "workingDirectory" | "platform"
>;

/** The configuration, ready to be asked. */
export interface NpmConfig {
  /** Every registry that is configured: the one for all projects, and those of scopes. */
  readonly registries: readonly URL[];
  /** The registry that a project comes from; its path ends in a slash. */
  registryFor(project: string): URL;
  /**
   * The value of `Authorization` for a request, or `null`: the credentials that are configured for
   * its host and the longest part of its path. Over plain HTTP only for an address on this machine
   * or a registry that is configured so.
   *
   * @throws {TransmuteError} `permission-missing` when they are in a variable that may not be read
   */
  authorization(url: URL): string | null;
  /** The variables that credentials named so far and that are not set. */
  readonly unsetVariables: ReadonlySet<string>;
}

/** Keys to texts: what is left of an `.npmrc` without sections, lists and flags. */
type Settings = Record<string, string>;

const CREDENTIAL = /^\/\/(.+?)\/*:(_authToken|_auth|username|_password)$/;
const SCOPE_REGISTRY = /^(@[^/:]+):registry$/;
const VARIABLE = /\$\{([^${}?]+)(\?)?\}/g;

/** What is configured for one address. */
type Credentials = Partial<Record<"_authToken" | "_auth" | "username" | "_password", string>>;

/**
 * Reads the configuration. Files that do not exist are no error.
 *
 * @param scopeDefaults the registries of scopes that the configuration says nothing of
 * @throws {TransmuteError} `permission-missing` naming all the flags, `option-invalid` for an
 * address that is none
 */
export async function readNpmConfig(
  from: ConfigSurroundings = runtime,
  scopeDefaults: Record<string, string> = {},
): Promise<NpmConfig> {
  const variables = readVariables(from);
  const files = [projectFile(from), variables.userFile].filter((file) => file !== null);
  const texts = readFiles([...new Set(files)], from);
  let settings: Settings = {};
  for (const text of texts.reverse()) settings = { ...settings, ...parse(text, from) };

  const toRegistry = (setting: string, value: string) =>
    registryUrl(setting, required(setting, value, from));
  const scopes = new Map<string, URL>();
  for (const [scope, address] of Object.entries(scopeDefaults)) {
    scopes.set(scope, registryUrl(scope, address));
  }
  for (const [key, value] of Object.entries(settings)) {
    const scope = SCOPE_REGISTRY.exec(key)?.[1];
    if (scope !== undefined) scopes.set(scope, toRegistry(key, value));
  }
  const registry = toRegistry(
    "registry",
    variables.registry ?? settings.registry ??
      (await import("./default_registries.ts")).defaultRegistry,
  );
  const registries = [registry, ...scopes.values()];
  const credentials = credentialsOf(settings);
  const unsetVariables = new Set<string>();

  return {
    registries,
    unsetVariables,
    registryFor: (project) => scopes.get(project.split("/")[0]) ?? registry,
    authorization(url) {
      const encrypted = url.protocol === "https:" || addressKind(url.hostname) === "loopback" ||
        registries.some((one) => one.origin === url.origin);
      if (credentials.size === 0 || !encrypted) return null;
      for (const address of addressesAbove(url)) {
        const value = authorizationOf(credentials.get(address), (text) => {
          const { value, unset } = withVariables(text, from);
          for (const name of unset) unsetVariables.add(name);
          return unset.length === 0 ? value : null;
        });
        if (value !== null) return value;
      }
      return null;
    },
  };
}

/** The variables, asked for together so that one error can name all that are missing. */
function readVariables(from: ConfigSurroundings): {
  registry: string | undefined;
  userFile: string | null;
} {
  const missing: string[] = [];
  const env = (name: string): string | undefined => {
    try {
      return from.env(name) || undefined;
    } catch (error) {
      if (!isTransmuteError(error, "permission-missing")) throw error;
      missing.push(name);
      return undefined;
    }
  };
  const either = (name: string) => {
    const [lower, upper] = [env(`npm_config_${name}`), env(`NPM_CONFIG_${name.toUpperCase()}`)];
    return lower ?? upper;
  };
  const registry = either("registry");
  const configured = either("userconfig");
  const home = configured === undefined
    ? env(from.platform().os === "win32" ? "USERPROFILE" : "HOME")
    : undefined;
  if (missing.length > 0) throw permissionMissing(`--allow-env=${missing.join(",")}`);
  const userFile = configured ?? (home === undefined ? null : joinPath(home, ".npmrc"));
  return { registry, userFile };
}

function permissionMissing(flag: string): TransmuteError {
  return new TransmuteError(
    "permission-missing",
    `Cannot read npm's configuration: this program runs without the permission ${flag}`,
    { hint: `Add ${flag} to the flags of deno run` },
  );
}

/** The project's own file, when the working directory is the program's. */
function projectFile(from: ConfigSurroundings): string | null {
  const main = from.mainModule();
  if (main === null || !main.startsWith("file:")) return null;
  const folder = absolutePath(from.workingDirectory(), "/");
  const inside = absolutePath(pathOfFileUrl(main), folder).startsWith(joinPath(folder, "/"));
  return inside ? joinPath(folder, ".npmrc") : null;
}

/** The texts of the files that exist. */
function readFiles(paths: string[], from: ConfigSurroundings): string[] {
  const texts: string[] = [];
  const missing: string[] = [];
  for (const path of paths) {
    try {
      texts.push(from.readTextFile(path));
    } catch (error) {
      if (isTransmuteError(error, "permission-missing")) {
        missing.push(path);
      } else if (from.fileErrorKind(error) !== "missing") {
        throw new TransmuteError(
          "option-invalid",
          `Cannot read npm's configuration ${path}: ${describeError(error)}`,
          { cause: error },
        );
      }
    }
  }
  if (missing.length > 0) throw permissionMissing(`--allow-read=${missing.join(",")}`);
  return texts;
}

function parse(text: string, from: ConfigSurroundings): Settings {
  const settings: Settings = {};
  for (const [key, value] of Object.entries(parseIni(text))) {
    if (typeof value === "string") settings[withVariables(key, from).value] = value;
  }
  return settings;
}

/** `text` with variables in place; one that is not set stays as written, unless it ends in `?`. */
function withVariables(
  text: string,
  from: ConfigSurroundings,
): { value: string; unset: string[] } {
  const unset: string[] = [];
  const value = text.replace(VARIABLE, (whole, name: string, optional?: string) => {
    const found = from.env(name);
    if (found !== undefined) return found;
    if (optional === undefined) unset.push(name);
    return optional === undefined ? whole : "";
  });
  return { value, unset };
}

function required(setting: string, text: string, from: ConfigSurroundings): string {
  const { value, unset } = withVariables(text, from);
  if (unset.length === 0) return value;
  throw new TransmuteError(
    "option-invalid",
    `Cannot use npm's configuration: ${setting} names the variable ${unset[0]}, which is not set`,
  );
}

/** The address of a registry, without credentials and with a slash at its end. */
export function registryUrl(setting: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const usable = (url?.protocol === "https:" || url?.protocol === "http:") &&
    url.search === "" && url.hash === "";
  if (!usable) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot use the registry of ${setting}: found ${
        JSON.stringify(text.replace(/\/\/[^/]*@/, "//"))
      }, wanted an address such as "https://registry.example/"`,
    );
  }
  url.username = "";
  url.password = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function credentialsOf(settings: Settings): Map<string, Credentials> {
  const credentials = new Map<string, Credentials>();
  for (const [key, value] of Object.entries(settings)) {
    const match = CREDENTIAL.exec(key);
    if (match === null || value === "") continue;
    const [host, ...path] = match[1].split("/");
    const address = [host.toLowerCase(), ...path].join("/");
    const known = credentials.get(address) ?? {};
    credentials.set(address, { ...known, [match[2]]: value });
  }
  return credentials;
}

/** `host/a/b`, `host/a`, `host`: whole segments only, so `host/a` says nothing of `host/ab`. */
function* addressesAbove(url: URL): Generator<string> {
  const segments = `${url.host}${url.pathname}`.split("/");
  for (let count = segments.length; count > 0; count--) yield segments.slice(0, count).join("/");
}

/**
 * `registry-auth-token` would do this, but cannot be loaded in Deno under narrow permissions: it
 * reads (and sets) a dozen environment variables before its first call, and it sends a setting
 * `_auth` without an address to every host.
 */
function authorizationOf(
  credentials: Credentials | undefined,
  read: (text: string) => string | null,
): string | null {
  if (credentials === undefined) return null;
  const { _authToken, _auth, username, _password } = credentials;
  const token = _authToken === undefined ? null : read(_authToken);
  if (token !== null) return `Bearer ${token}`;
  const encoded = _auth === undefined ? null : read(_auth);
  if (encoded !== null) return `Basic ${encoded}`;
  if (username === undefined || _password === undefined) return null;
  const [name, password] = [read(username), read(_password)];
  if (name === null || password === null) return null;
  return basicAuthorization(name, new TextDecoder().decode(fromBase64(password)));
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new TransmuteError(
      "option-invalid",
      "Cannot use npm's configuration: a _password is not written in Base64",
    );
  }
}

/** The value of `Authorization` for a name and a password. */
export function basicAuthorization(name: string, password: string): string {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** The value of `Authorization` that an address has the name and password of; `null` without any. */
export function authorizationIn({ username, password }: URL): string | null {
  if (username === "" && password === "") return null;
  return basicAuthorization(decodedText(username), decodedText(password));
}
