/**
 * An index of Python projects as a source: PyPI, or whatever speaks its Simple API.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Listing } from "../model/egg.ts";
import { normalizeProjectName } from "../model/python_requirement.ts";
import { askConditionally } from "./conditional.ts";
import { fetchArchive } from "./http_archive.ts";
import type { HttpAnswer, HttpQuestion } from "./http_question.ts";
import { addressText, failure } from "./http_question.ts";
import { httpGet } from "./http_request.ts";
import type { StartTimer } from "./http_stall.ts";
import { startPlatformTimer } from "./http_stall.ts";
import { authorizationIn, basicAuthorization, registryUrl } from "./npm_config.ts";
import { configuredIndex, netrcCredentials } from "./pip_config.ts";
import type { IndexedPythonFile } from "./python_index.ts";
import {
  PythonIndexError,
  readIndexHtml,
  readIndexJson,
  readKeptFiles,
  releasesOfIndex,
} from "./python_index.ts";
import type { ListingCache, Source, SourceContext } from "./source.ts";

/** A listing larger than this is not read to its end; the largest real ones have a third of it. */
const MAX_LISTING_BYTES = 64 * 1024 ** 2;
/** The metadata of one egg. */
const MAX_METADATA_BYTES = 4 * 1024 ** 2;
const ACCEPT = "application/vnd.pypi.simple.v1+json, " +
  "application/vnd.pypi.simple.v1+html; q=0.2, text/html; q=0.1";
const PROJECT = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** What tests put in place of pip's configuration and of time. */
export interface PypiSurroundings {
  readIndex?: (listings: ListingCache) => Promise<string>;
  startTimer?: StartTimer;
}

interface Index {
  url: URL;
  authorization: string | null;
}

/** An index by its address; the old interface's address stands for the new one beside it. */
function indexAt(text: string): Index {
  const url = registryUrl("the source", text);
  if (/\/pypi\/$/.test(url.pathname)) url.pathname = url.pathname.replace(/pypi\/$/, "simple/");
  const own = authorizationIn(new URL(text));
  if (own !== null) return { url, authorization: own };
  const known = netrcCredentials(url.hostname);
  return {
    url,
    authorization: known === null ? null : basicAuthorization(known.name, known.password),
  };
}

/**
 * Opens an index of Python projects.
 *
 * `pypi:` means the index of the user's pip configuration, or else pip's own; `pypi+https://…/simple/`
 * that one. Credentials come from the address or `.netrc`.
 *
 * @throws {TransmuteError} `option-invalid` for an address that is none
 *
 * @example
 * ```ts
 * import { pypiSource } from "./pypi.ts";
 *
 * const source = pypiSource("pypi+https://user:secret@index.example/simple");
 * if (source.id !== "pypi+https://index.example/simple/") throw new Error("never");
 * ```
 */
export function pypiSource(
  address = "pypi:",
  { readIndex = configuredIndex, startTimer = startPlatformTimer }: PypiSurroundings = {},
): Source {
  const text = address.startsWith("pypi+") ? address.slice("pypi+".length) : null;
  if (text === null && address !== "pypi:") {
    throw new TransmuteError(
      "option-invalid",
      `Cannot open the source ${JSON.stringify(address.replace(/\/\/[^/]*@/, "//"))}: wanted ` +
        '"pypi:" or an address such as "pypi+https://index.example/simple/"',
    );
  }
  const id = text === null ? "pypi:" : `pypi+${new URL(registryUrl("the source", text)).href}`;
  let opened: Promise<Index> | undefined;

  function index({ listings }: SourceContext): Promise<Index> {
    const opening = opened ??= (async () => indexAt(text ?? await readIndex(listings)))();
    // What could not be learnt may be at the next question.
    opening.catch(() => opened = undefined);
    return opening;
  }

  async function ask(
    question: Omit<HttpQuestion, "source" | "configured">,
    context: SourceContext,
  ): Promise<HttpAnswer> {
    const { url: own, authorization } = await index(context);
    return await httpGet(
      {
        ...question,
        source: id,
        configured: [own],
        headersFor: (url): Record<string, string> =>
          authorization !== null && url.origin === own.origin ? { authorization } : {},
        deniedHint: () =>
          `Put name and password for ${own.host} into the index's address or .netrc`,
      },
      context,
      startTimer,
    );
  }

  return {
    id,
    kind: "network",
    ecosystems: ["python"],

    async list(name, context) {
      const project = normalizeProjectName(name);
      const empty: Listing = { project: name, releases: [], tags: {} };
      if (!PROJECT.test(project)) return { listing: empty, cached: false };
      const { url: own } = await index(context);
      const url = new URL(`${own.href}${project}/`);
      const action = `list ${project}`;
      const found = await askConditionally<IndexedPythonFile[]>({
        action,
        source: id,
        url,
        form: "python",
        ask: (conditions) =>
          ask({
            action,
            url,
            headers: { accept: ACCEPT, ...conditions },
            maxBytes: MAX_LISTING_BYTES,
            tooLarge: "listing-invalid",
          }, context),
        read(answer) {
          const value = readAnswer(answer, { action, source: id });
          return { value, keep: JSON.stringify(value) };
        },
        readKept: readKeptFiles,
      }, context);
      if (found.value === null) return { listing: empty, cached: false };
      const releases = releasesOfIndex(project, found.value);
      return { listing: { project: name, releases, tags: {} }, cached: found.cached };
    },

    async fetch(artifact, context) {
      const about = { source: id, maxDownloadBytes: context.maxDownloadBytes };
      return await fetchArchive(artifact, about, (question) => ask(question, context));
    },

    async pythonMetadata({ python }, context) {
      const url = new URL(python!.metadata!.locator);
      const action = `fetch ${addressText(url)}`;
      const { status, body } = await ask({
        action,
        url,
        headers: { accept: "*/*" },
        maxBytes: MAX_METADATA_BYTES,
        tooLarge: "size-mismatch",
      }, context);
      if (status === 200) return body;
      throw failure({ action, source: id }, "egg-missing", `${url.host} answered ${status}`);
    },
  };
}

function readAnswer(
  { body, headers, url }: HttpAnswer,
  about: { action: string; source: string },
): IndexedPythonFile[] {
  const text = new TextDecoder().decode(body);
  const isJson = /json/i.test(headers.get("content-type") ?? "") ||
    text.trimStart().startsWith("{");
  try {
    return isJson ? readIndexJson(text, url) : readIndexHtml(text, url);
  } catch (error) {
    if (!(error instanceof PythonIndexError)) throw error;
    throw failure(
      about,
      "listing-invalid",
      `${addressText(url)} answered what is no listing: ${error.message}`,
    );
  }
}
