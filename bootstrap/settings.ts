/**
 * What an application tells `bootstrap()`, and the parts of Transmute that it is given.
 *
 * @module
 */

/** What the application fills in. Times are in milliseconds. */
export interface Settings {
  /** The components, and where they come from: as for Transmute's `require()`. */
  requirements: string | string[];
  sources?: (string | object)[];
  /** The program. What it returns, if an integer, is the exit code. */
  main(transmute: LoadedTransmute, report: UpdateReport): unknown;
  /** The application's name, by default made of the main module's. */
  app?: string;
  /** The store, by default `TRANSMUTE_CACHE_DIR` or `transmute` in the user's data folder. */
  cacheDir?: string;
  /** Further options of `new Transmute()`. */
  options?: object;
  /** Where Transmute itself comes from. */
  transmute?: {
    /** `^1.2`, `~1.2.3`, `>=1.2`, `1.2` or an exact version; by default `^0.1`. */
    range?: string;
    /** The name of its npm package, by default `transmute-js`. */
    package?: string;
    /**
     * Asked in order until one answers: `"npm:"` (the default: the registry of npm's settings),
     * `"npm+https://registry.example/"`, a folder of `npm pack` archives, each with an optional
     * `.sha256` beside it, or `"https://…/mod.js#sha256=<hex>"`, that one file.
     */
    sources?: string[];
    /** What is imported instead where it can be: a package or a URL; by default the package. */
    specifier?: string;
  };
  /** Between questions about a newer Transmute, by default a day. */
  checkEveryMs?: number;
  /** What such a question may take when there is a copy to run on, by default 1500. */
  budgetMs?: number;
  /** What it may take when there is none, by default 60,000. */
  timeoutMs?: number;
  /** Called first. This one and the next two are awaited. */
  onStarting?(): unknown;
  /** Called when all is up to date, before `main`; without a version when it was importable. */
  onSucceeded?(loaded: { version?: string; origin: Origin }): unknown;
  /** Called before the error is thrown that keeps `main` from running. */
  onFailed?(error: unknown): unknown;
  /** Called with what went wrong without harm. */
  onProblem?(error: unknown): void;
  /** Milliseconds since the epoch, for tests. */
  now?(): number;
}

/** It was `importable` already, was `kept` from an earlier start, or was `fetched` just now. */
export type Origin = "importable" | "kept" | "fetched";

/** What programs use of a Transmute. Its own declarations tell all of it. */
export interface LoadedTransmute {
  require(requirements: string | string[], options?: { sources?: (string | object)[] }): void;
  update(): Promise<UpdateReport>;
  import<T = Record<string, unknown>>(specifier: string): Promise<T>;
  resolve(specifier: string): string;
  relaunch(): Promise<never>;
}

/** What an update came to. */
export interface UpdateReport {
  outcome: "updated" | "unchanged" | "deferred" | "rolled-back";
  eggs: { project: string; version: string; from?: string }[];
  relaunch: "not-needed" | "relaunch-needed";
  refused: { version: string; message: string }[];
}
