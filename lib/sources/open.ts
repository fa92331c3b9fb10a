/**
 * From an address to a source: the table of schemes. The network's own code is loaded when a
 * network source is first asked.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Ecosystem } from "../model/egg.ts";
import { directorySource } from "./directory.ts";
import type { HttpSourceOptions } from "./http_address.ts";
import type { S3Options } from "./s3_address.ts";
import type { Source, SourceFactory } from "./source.ts";

/** The npm registry, as the user's npm configuration names it. */
export const NPM_SOURCE = "npm:";

/** JSR, through its registry of npm tarballs. */
export const JSR_SOURCE = "jsr:";

/** PyPI, or the index of Python projects that the user's pip configuration names. */
export const PYPI_SOURCE = "pypi:";

/** The worlds of a folder's files. */
const BOTH: readonly Ecosystem[] = ["js", "python"];

/** A source whose code is loaded with its first question. */
function lazySource(
  id: string,
  load: () => Promise<Source>,
  ecosystems: readonly Ecosystem[] = ["js"],
): Source {
  let loaded: Promise<Source> | undefined;
  const source = () => loaded ??= load();
  return {
    id,
    kind: "network",
    ecosystems,
    list: async (project, context, ecosystem) => (await source()).list(project, context, ecosystem),
    fetch: async (artifact, context) => (await source()).fetch(artifact, context),
    publishTimes: async (project, context) =>
      await (await source()).publishTimes?.(project, context) ?? new Map(),
    pythonMetadata: async (release, context) => (await source()).pythonMetadata!(release, context),
    files: {
      locate: async (path) => (await source()).files!.locate(path),
      read: async (question, context) => (await source()).files!.read(question, context),
    },
  };
}

/** An address without name and password. */
function withoutCredentials(address: string): string {
  return address.replace(/\/\/[^/]*@/, "//");
}

/** One registry has one id, however its address is written. */
function registryId(address: string): string {
  const [scheme] = address.split("+", 1);
  const registry = address.slice(scheme.length + 1);
  if (!URL.canParse(registry)) return withoutCredentials(address);
  return `${scheme}+${withoutCredentials(new URL(registry).href).replace(/\/?$/, "/")}`;
}

const npmFactory: SourceFactory = (address) =>
  lazySource(registryId(address), async () => (await import("./npm.ts")).npmSource(address));

const jsrFactory: SourceFactory = (address) =>
  lazySource(registryId(address), async () => (await import("./jsr.ts")).jsrSource(address));

const pypiFactory: SourceFactory = (address) =>
  lazySource(
    registryId(address),
    async () => (await import("./pypi.ts")).pypiSource(address),
    ["python"],
  );

/**
 * Opens a folder behind a web server, where its address alone does not say how to ask.
 *
 * @param address `https://host/path/`
 * @param options credentials and further headers for its own origin, and whether plain HTTP will do
 * @throws {TransmuteError} with the first question: `option-invalid`
 *
 * @example
 * ```ts
 * import { httpSource } from "./open.ts";
 *
 * const source = httpSource("https://eggs.example/stable", { authorization: "Bearer secret" });
 * if (source.id !== "https://eggs.example/stable/") throw new Error("never");
 * ```
 */
export function httpSource(address: string, options: HttpSourceOptions = {}): Source {
  return lazySource(
    httpId(address),
    async () => (await import("./http.ts")).httpFolder(address, options),
    BOTH,
  );
}

/** One folder has one id, however its address is written. */
function httpId(address: string): string {
  if (!URL.canParse(address)) return withoutCredentials(address);
  const { origin, pathname } = new URL(address);
  return origin + pathname + (/(?:\/|\.html?)$/.test(pathname) ? "" : "/");
}

/**
 * Opens a folder in a bucket, where its address alone does not say how to ask.
 *
 * @param address `s3://bucket/prefix`
 * @param options region, endpoint, credentials and so on; what is left out comes from where the
 * AWS SDK looks
 * @throws {TransmuteError} with the first question: `option-invalid`
 *
 * @example
 * ```ts
 * import { s3Source } from "./open.ts";
 *
 * const source = s3Source("s3://eggs/stable", { region: "eu-west-1", credentials: "anonymous" });
 * if (source.id !== "s3://eggs/stable/") throw new Error("never");
 * ```
 */
export function s3Source(address: string, options: S3Options = {}): Source {
  return lazySource(
    s3Id(address, options),
    async () => (await import("./s3.ts")).s3Folder(address, options),
    BOTH,
  );
}

/** One folder has one id, however its address is written; buckets of two services have two. */
function s3Id(address: string, { endpoint }: S3Options): string {
  const [folder, query] = address.split("?");
  const service = endpoint ?? new URLSearchParams(query).get("endpoint") ?? "";
  const id = folder.replace(/\/?$/, "/");
  return withoutCredentials(
    URL.canParse(service) ? `${id}?endpoint=${new URL(service).href.replace(/\/?$/, "/")}` : id,
  );
}

const factories = new Map<string, SourceFactory>([
  ["file", directorySource],
  ["https", httpSource],
  ["http", httpSource],
  ["s3", s3Source],
  ["npm", npmFactory],
  ["npm+http", npmFactory],
  ["npm+https", npmFactory],
  ["jsr", jsrFactory],
  ["jsr+http", jsrFactory],
  ["jsr+https", jsrFactory],
  ["pypi", pypiFactory],
  ["pypi+http", pypiFactory],
  ["pypi+https", pypiFactory],
]);

/** Schemes that this program registered: nobody else knows what they mean. */
const registered = new Set<string>();

/** What has a scheme, or was meant to have one. One letter is a drive of Windows, no scheme. */
const LIKE_SCHEME = /^\s*([A-Za-z][A-Za-z0-9+.-]*[A-Za-z0-9])(:|[^A-Za-z0-9/\\\s]?\/\/)/;

/**
 * Makes addresses of a scheme open as the user's own kind of source.
 *
 * @param scheme in lower case and of two characters at least, without the colon
 * @throws {TransmuteError} `option-invalid`
 *
 * @example
 * ```ts
 * import { registerSource } from "./open.ts";
 *
 * registerSource("nowhere", (address) => ({
 *   id: address,
 *   kind: "network",
 *   list: (project) => Promise.resolve({ listing: { project, releases: [], tags: {} }, cached: false }),
 *   fetch: () => Promise.reject(new Error("nothing is there")),
 * }));
 * ```
 */
export function registerSource(scheme: string, factory: SourceFactory): void {
  if (!/^[a-z][a-z0-9+.-]+$/.test(scheme)) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot register a source: found the scheme ${
        JSON.stringify(scheme)
      }, wanted lower-case letters, digits, "+", "." or "-"`,
    );
  }
  factories.set(scheme, factory);
  registered.add(scheme);
}

/** Whether an address means the same in a process that registered nothing. */
export function isOwnScheme(address: string): boolean {
  return !registered.has(LIKE_SCHEME.exec(address)?.[1].toLowerCase() ?? "");
}

/**
 * Opens the source at `address`: a folder's path, or an address of a registered scheme.
 *
 * @throws {TransmuteError} `source-scheme-unknown`
 */
export function openSource(address: string): Source {
  const [, scheme, separator] = LIKE_SCHEME.exec(address) ?? [];
  if (scheme === undefined) return directorySource(address);
  const isKnown = factories.has(scheme.toLowerCase());
  // The path of a folder may have two slashes, but hardly after the name of a scheme.
  if (separator === "//" && !isKnown) return directorySource(address);
  const factory = separator === ":" ? factories.get(scheme) : undefined;
  if (factory !== undefined) return factory(address.trim());
  const shown = withoutCredentials(address);
  throw new TransmuteError(
    "source-scheme-unknown",
    `Cannot open the source "${shown}": found the scheme "${scheme}${separator}", wanted ${
      [...factories.keys()].map((known) => `"${known}:"`).join(", ")
    } or a folder`,
    {
      source: shown,
      hint: isKnown
        ? `Write "${scheme.toLowerCase()}:"`
        : "registerSource() adds a scheme; a folder of that name is written with ./ before it",
    },
  );
}
