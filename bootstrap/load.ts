/**
 * The start: a Transmute that is importable, kept from an earlier start, or fetched; then the
 * application on it.
 *
 * @module
 */

import type { Loaded, TransmuteModule } from "./kept.ts";
import { importModule, KeptCopies } from "./kept.ts";
import {
  absolute,
  assertPrivate,
  Bun,
  codeOf,
  demand,
  Deno,
  digestOf,
  failure,
  files,
  isBranded,
  isWindows,
  node,
  readFile,
  system,
  textOf,
  variables,
} from "./machine.ts";
import type { LoadedTransmute, Settings, UpdateReport } from "./settings.ts";
import { askSources } from "./sources.ts";
import { fits } from "./versions.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const RETRY_AFTER_MS = 10 * 60 * 1000;

/**
 * Brings Transmute and the application's components up to date, and runs the application.
 *
 * A new Transmute that breaks before it brought anything is left for the one before it.
 *
 * @returns what `main` returned
 * @throws an error with a `code`: when there is no Transmute and none can be had, naming each source
 * and its answer; what Transmute's `update()` throws. What `main` throws passes through
 */
export async function bootstrap(settings: Settings): Promise<unknown> {
  await settings.onStarting?.();
  let started: Started;
  try {
    const { tell, loaded, goBack } = await loadTransmute(settings);
    started = await startOn(loaded, settings).catch(async (error) => {
      // An error of Transmute's own tells of sources, disks and settings: another copy won't help.
      const before = isBranded(error) ? undefined : await goBack();
      if (!before) throw error;
      tell(error);
      return await startOn(before, settings);
    });
    const { version, origin } = started.loaded;
    await settings.onSucceeded?.({ version, origin });
  } catch (error) {
    await settings.onFailed?.(error);
    throw error;
  }
  const code = await settings.main(started.transmute, started.report);
  if (Number.isInteger(code)) (Deno ?? node()).exitCode = code;
  return code;
}

type Started = { loaded: Loaded; transmute: LoadedTransmute; report: UpdateReport };

async function startOn(loaded: Loaded, settings: Settings): Promise<Started> {
  const { app, cacheDir, sources = [], requirements, options } = settings;
  const transmute = new loaded.module.Transmute({ ...options, app, cacheDir, sources });
  transmute.require(requirements);
  return { loaded, transmute, report: await transmute.update() };
}

/** What may be started on, and the way back from it. */
type Choice = {
  loaded: Loaded;
  goBack(): Promise<Loaded | undefined>;
  tell(error: unknown): void;
};

async function loadTransmute(settings: Settings): Promise<Choice> {
  const { range = "^0.1", package: name = "transmute-js", ...wanted } = settings.transmute ?? {};
  const { checkEveryMs = DAY_MS, budgetMs = 1500, timeoutMs = 60_000 } = settings;
  if (fits("0.0.0", range) === undefined) {
    throw failure("version-syntax", `found the range "${range}", wanted one like ^1.2`);
  }
  const tell = (error: unknown) => {
    if (codeOf(error) === "permission-missing") throw error;
    if (settings.onProblem) return settings.onProblem(error);
    const [level = ""] = variables("TRANSMUTE_LOG");
    if (/^(debug|info|warn)$/.test(level)) console.error(`transmute: warn: ${textOf(error)}`);
  };
  const present = await importPresent(wanted.specifier ?? name).catch(tell);
  if (present) {
    const loaded: Loaded = { module: present, origin: "importable" };
    return { loaded, tell, goBack: () => Promise.resolve(undefined) };
  }

  const [configured, offline = "0"] = variables("TRANSMUTE_CACHE_DIR", "TRANSMUTE_OFFLINE");
  const root = absolute(configured || settings.cacheDir || defaultRoot());
  assertPrivate(root);
  const folder = `${root}/bootstrap-v1`;
  files.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sources = (wanted.sources ?? ["npm:"]).map(absolute);
  // One pointer for each set of these: they say what may run.
  const key = await digestOf(new TextEncoder().encode(JSON.stringify([name, range, sources])));
  const copies = new KeptCopies(folder, key.slice(0, 16));
  const choose = (loaded: Loaded): Choice => ({
    loaded,
    tell,
    goBack: () => copies.goBackFrom(loaded.version),
  });

  const kept = copies.read();
  const loaded = kept && await copies.load(kept, "kept").catch(tell);
  /** A damaged copy is brought again; where that fails, the one before it serves. */
  const before = async () => kept?.previous && await copies.load(kept.previous, "kept").catch(tell);
  const now = (settings.now ?? Date.now)();
  const isDue = !kept || now >= kept.checkAt || now < kept.checkAt - checkEveryMs;
  const isOffline = offline !== "" && offline !== "0";
  if (loaded && (isOffline || !isDue)) return choose(loaded);
  if (isOffline) {
    const serves = await before();
    if (serves) return choose(serves);
    throw failure("offline", "no copy is kept, and TRANSMUTE_OFFLINE is set");
  }

  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), loaded ? budgetMs : timeoutMs);
  try {
    const { rejected = [] } = copies.read() ?? {};
    const question = { name, range, folder, rejected, signal: limit.signal };
    const found = await askSources(sources, { ...question, ...loaded && { kept: copies.read() } });
    if (found !== undefined) return choose(await copies.take(found, now + checkEveryMs));
    copies.checkAgainAt(now + checkEveryMs);
    return choose(loaded!);
  } catch (error) {
    const serves = loaded ?? await before();
    if (!serves) throw error;
    tell(error);
    try {
      copies.checkAgainAt(now + Math.min(checkEveryMs, RETRY_AFTER_MS));
    } catch (diskFailure) {
      tell(diskFailure);
    }
    return choose(serves);
  } finally {
    clearTimeout(timer);
  }
}

/** Where Transmute itself has its store by default. */
function defaultRoot(): string {
  const [home] = variables(isWindows ? "LOCALAPPDATA" : "HOME");
  const [data] = system === "linux" ? variables("XDG_DATA_HOME") : [];
  if (data?.startsWith("/")) return `${data}/transmute`;
  if (!home) throw failure("option-invalid", "this user has no home folder", "Give cacheDir");
  if (isWindows) return `${home}/transmute`;
  return `${home}/${
    system === "darwin" ? "Library/Application Support" : ".local/share"
  }/transmute`;
}

/** The module that `specifier` stands for here, if it stands for one. */
async function importPresent(specifier: string): Promise<TransmuteModule | undefined> {
  // Bun would bring a package that is not there from the network, by itself and unproven.
  const folders = (import.meta as { filename?: string }).filename?.split(/[\\/]/) ?? [];
  const isThere = (_: string, at: number) =>
    readFile([...folders.slice(0, at), "node_modules", specifier, "package.json"].join("/"));
  if (Bun && !/^(\.|\/|\w+:)/.test(specifier) && !folders.some(isThere)) return undefined;
  let url: URL;
  try {
    url = new URL(import.meta.resolve(specifier));
  } catch {
    return undefined;
  }
  if (/^https?:/.test(url.protocol)) demand("import", "host", url.host);
  if (/^file:(?!.*\/node_modules\/)/.test(url.href)) demand("read", "path", url.pathname);
  return await importModule(url.href);
}
