/**
 * An npm registry as a source.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { isProjectName } from "../model/dependency.ts";
import type { Listing } from "../model/egg.ts";
import { askConditionally } from "./conditional.ts";
import { fetchArchive } from "./http_archive.ts";
import { fileAddress, readHttpFile } from "./http_file.ts";
import type { HttpAnswer, HttpQuestion } from "./http_question.ts";
import { addressText } from "./http_question.ts";
import { httpGet } from "./http_request.ts";
import type { StartTimer } from "./http_stall.ts";
import { startPlatformTimer } from "./http_stall.ts";
import type { NpmConfig } from "./npm_config.ts";
import { authorizationIn, readNpmConfig, registryUrl } from "./npm_config.ts";
import type { Packument } from "./packument.ts";
import { listingOf, PackumentError, readPackument } from "./packument.ts";
import type { Source, SourceContext } from "./source.ts";

/** A listing larger than this is not read to its end; the largest real ones have a third of it. */
export const MAX_LISTING_BYTES = 192 * 1024 * 1024;

/** Asks for the form without readme, scripts and dates, a tenth of the whole. */
const ABBREVIATED = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8";

/** What tests put in place of the user's configuration and of time. */
export interface NpmSurroundings {
  readConfig?: () => Promise<NpmConfig>;
  startTimer?: StartTimer;
}

/** One registry by its address, with the credentials that the address itself carries. */
export interface FixedRegistry {
  url: URL;
  authorization: string | null;
}

/**
 * The registry of an address such as `npm+https://host/`; `null` for the scheme alone, which
 * means what is configured.
 *
 * @throws {TransmuteError} `option-invalid` for an address that is none
 */
export function fixedRegistry(scheme: string, address: string): FixedRegistry | null {
  if (address === `${scheme}:`) return null;
  const text = address.startsWith(`${scheme}+`) ? address.slice(scheme.length + 1) : "";
  if (!/^https?:\/\/./.test(text)) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot open the source ${JSON.stringify(address.replace(/\/\/[^/]*@/, "//"))}: wanted ` +
        `"${scheme}:" or an address such as "${scheme}+https://registry.example/"`,
    );
  }
  const url = registryUrl("the source", text);
  return { url, authorization: authorizationIn(new URL(text)) };
}

/**
 * Opens an npm registry.
 *
 * `npm:` means the registries of the user's npm configuration; `npm+https://host/path/` (or
 * `npm+http:`) that one registry for every project. Credentials come from the configuration
 * in both cases, or from the address.
 *
 * @throws {TransmuteError} `option-invalid` for an address that is none
 *
 * @example
 * ```ts
 * import { npmSource } from "./npm.ts";
 *
 * const source = npmSource("npm+https://user:secret@registry.example/npm");
 * if (source.id !== "npm+https://registry.example/npm/") throw new Error("never");
 * ```
 */
export function npmSource(address = "npm:", surroundings: NpmSurroundings = {}): Source {
  const fixed = fixedRegistry("npm", address);
  const id = fixed === null ? "npm:" : `npm+${fixed.url.href}`;
  return registrySource(id, fixed, surroundings);
}

/**
 * A source of npm's protocol.
 *
 * @param fixed the registry of every project; `null` for what the configuration says
 */
export function registrySource(
  id: string,
  fixed: FixedRegistry | null,
  { readConfig = readNpmConfig, startTimer = startPlatformTimer }: NpmSurroundings = {},
): Source {
  let config: Promise<NpmConfig> | undefined;

  function configuration(): Promise<NpmConfig> {
    const reading = config ??= readConfig();
    // What could not be read may be readable at the next question.
    reading.catch(() => config = undefined);
    return reading;
  }

  function ask(
    question: Omit<HttpQuestion, "source" | "configured">,
    known: NpmConfig,
    context: SourceContext,
  ): Promise<HttpAnswer> {
    return httpGet(
      {
        ...question,
        source: id,
        configured: fixed === null ? known.registries : [fixed.url],
        headersFor(url): Record<string, string> {
          const authorization =
            fixed !== null && fixed.authorization !== null && url.origin === fixed.url.origin &&
              url.pathname.startsWith(fixed.url.pathname)
              ? fixed.authorization
              : known.authorization(url);
          return authorization === null ? {} : { authorization };
        },
        deniedHint() {
          const [unset] = known.unsetVariables;
          return unset === undefined
            ? `Put a token for //${question.url.host}/ into .npmrc, or renew the one there`
            : `Set the variable ${unset}, which npm's configuration takes a token from`;
        },
      },
      context,
      startTimer,
    );
  }

  /** The registry of projects without a scope of their own. */
  const ownRegistry = async () => fixed?.url ?? (await configuration()).registryFor("-");

  return {
    id,
    kind: "network",

    async list(project, context) {
      const empty: Listing = { project, releases: [], tags: {} };
      if (!isProjectName(project)) return { listing: empty, cached: false };
      const known = await configuration();
      const registry = fixed?.url ?? known.registryFor(project);
      const url = new URL(registry.href + project.replace("/", "%2f"));
      const action = `list ${project}`;
      const found = await askConditionally<Packument>({
        action,
        source: id,
        url,
        ask: (conditions) =>
          ask(
            {
              action,
              url,
              headers: { accept: ABBREVIATED, ...conditions },
              maxBytes: MAX_LISTING_BYTES,
              tooLarge: "listing-invalid",
            },
            known,
            context,
          ),
        read({ body }) {
          const text = new TextDecoder().decode(body);
          const value = readAnswer(text, project, { source: id, url, registry });
          return { value, keep: JSON.stringify(value) };
        },
        readKept: (text) => readKept(text, project, registry),
      }, context);
      if (found.value === null) return { listing: empty, cached: false };
      return { listing: listingOf(found.value), cached: found.cached };
    },

    async publishTimes(project, context) {
      const known = await configuration();
      const registry = fixed?.url ?? known.registryFor(project);
      const url = new URL(registry.href + project.replace("/", "%2f"));
      const { status, body } = await ask(
        {
          action: `learn the age of ${project}`,
          url,
          headers: { accept: "application/json" },
          maxBytes: MAX_LISTING_BYTES,
          tooLarge: "listing-invalid",
        },
        known,
        context,
      );
      if (status !== 200) return new Map();
      const text = new TextDecoder().decode(body);
      const { time = {} } = readAnswer(text, project, { source: id, url, registry });
      return new Map(Object.entries(time).map(([version, at]) => [version, Date.parse(at)]));
    },

    async fetch(artifact, context) {
      const known = await configuration();
      const about = { source: id, maxDownloadBytes: context.maxDownloadBytes };
      return await fetchArchive(artifact, about, (question) => ask(question, known, context));
    },

    files: {
      async locate(path) {
        return fileAddress(path, await ownRegistry()).href;
      },
      async read(question, context) {
        const known = await configuration();
        const about = { source: id, base: await ownRegistry() };
        return await readHttpFile(question, about, (file) => ask(file, known, context));
      },
    },
  };
}

function readAnswer(
  text: string,
  project: string,
  about: { source: string; url: URL; registry: URL },
): Packument {
  const invalid = (found: string, cause: unknown) =>
    new TransmuteError(
      "listing-invalid",
      `Cannot list ${project}: ${addressText(about.url)} answered what is no listing of it: ` +
        found,
      { source: about.source, cause },
    );
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw invalid(`found text that is not JSON (${text.length} characters)`, error);
  }
  try {
    return readPackument(answer, project, about.registry);
  } catch (error) {
    if (error instanceof PackumentError) throw invalid(error.message, error);
    throw error;
  }
}

/** A kept answer, or `null` when it is damaged: it is then asked for again. */
function readKept(text: string, project: string, registry: URL): Packument | null {
  try {
    return readPackument(JSON.parse(text), project, registry);
  } catch {
    return null;
  }
}
