/**
 * A folder behind any web server as a source. Its files are known by its `index.json`, or else by
 * the page that the server shows of it.
 *
 * @module
 */

import { failure } from "./http_question.ts";
import type { HttpSourceOptions } from "./http_address.ts";
import { readHttpAddress } from "./http_address.ts";
import { fetchArchive } from "./http_archive.ts";
import { fileAddress, readHttpFile } from "./http_file.ts";
import type { HtmlListing } from "./html_listing.ts";
import type { FolderAsker } from "./http_listing.ts";
import { askIndex, askPage } from "./http_listing.ts";
import { filesOfIndex, INDEX_NAME } from "./folder_index.ts";
import { addressText } from "./http_question.ts";
import { httpGet } from "./http_request.ts";
import type { StartTimer } from "./http_stall.ts";
import { startPlatformTimer } from "./http_stall.ts";
import { fetchWithCompanion, FolderListing, oncePerUpdate } from "./network_folder.ts";
import type { Source, SourceContext } from "./source.ts";

/** What tests put in place of the environment and of time. */
export interface HttpSurroundings {
  env?: (name: string) => string | undefined;
  startTimer?: StartTimer;
}

/** The folder as it was listed: its own files, and where the pages of projects are. */
interface Folder {
  files: FolderListing;
  page: HtmlListing | null;
}

/**
 * Opens a folder behind a web server.
 *
 * @param address `https://host/path/`, or the address of a page of links, which ends in `.html`;
 * `http:` for this machine only, unless `allowHttp` says otherwise
 * @throws {TransmuteError} `option-invalid`
 *
 * @example
 * ```ts
 * import { httpFolder } from "./http.ts";
 *
 * const source = httpFolder("https://ada:secret@eggs.example/stable");
 * if (source.id !== "https://eggs.example/stable/") throw new Error("never");
 * ```
 */
export function httpFolder(
  address: string,
  options: HttpSourceOptions = {},
  { env, startTimer = startPlatformTimer }: HttpSurroundings = {},
): Source {
  const { id, url, headersFor, deniedHint } = readHttpAddress(address, options, env);

  const askerFor = (context: SourceContext): FolderAsker => ({
    source: id,
    listings: context.listings,
    ask(question) {
      const whole = { ...question, source: id, configured: [url], headersFor, deniedHint };
      return httpGet(whole, context, startTimer);
    },
  });

  const listFolder = oncePerUpdate(async (context): Promise<Folder> => {
    const asker = askerFor(context);
    const index = await askIndex(asker, new URL(INDEX_NAME, url));
    if (index !== null) {
      const files = filesOfIndex(index.value, new URL(".", url));
      return { files: new FolderListing(files, index.cached), page: null };
    }
    const page = await askPage(asker, url);
    if (page === null) {
      throw failure(
        { action: `list ${addressText(url)}`, source: id },
        "source-unreachable",
        `${url.host} has no such folder, or shows neither an ${INDEX_NAME} nor a listing of it`,
        { hint: "Make an index: transmute index <folder>" },
      );
    }
    return { files: new FolderListing(page.value.files, page.cached), page: page.value };
  });

  /** A project's own page, where the folder has one for each. */
  async function listProjectPage(project: string, page: HtmlListing, context: SourceContext) {
    const { pageOf } = await import("./html_listing.ts");
    const address = pageOf(page, project);
    const own = address === null ? null : await askPage(askerFor(context), new URL(address));
    return own === null ? null : new FolderListing(own.value.files, own.cached);
  }

  return {
    id,
    kind: "network",
    ecosystems: ["js", "python"],

    async list(project, context, ecosystem) {
      const { files, page } = await listFolder(context);
      let { cached } = files;
      let releases = files.releases(project, ecosystem);
      if (releases.length === 0 && page !== null) {
        const own = await listProjectPage(project, page, context);
        releases = own?.releases(project, ecosystem) ?? [];
        cached = own?.cached ?? cached;
      }
      return { listing: { project, releases, tags: {} }, cached };
    },

    fetch: (artifact, context) =>
      fetchWithCompanion(artifact, context, (file, limits) => {
        const about = { source: id, maxDownloadBytes: limits.maxDownloadBytes };
        return fetchArchive(file, about, askerFor(limits).ask);
      }),

    pythonMetadata: async ({ python }, context) => {
      const artifact = { locator: python!.metadata!.locator, digests: [], validator: "" };
      const about = { source: id, maxDownloadBytes: context.maxDownloadBytes };
      return (await fetchArchive(artifact, about, askerFor(context).ask)).bytes;
    },

    files: {
      locate: (path) => Promise.resolve(fileAddress(path, new URL(".", url)).href),
      read: (question, context) =>
        readHttpFile(question, { source: id, base: new URL(".", url) }, askerFor(context).ask),
    },
  };
}
