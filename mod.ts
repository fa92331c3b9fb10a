/**
 * Keeps an application's components up to date, by itself, when the application starts.
 *
 * @example The whole of it
 * ```ts ignore
 * import * as transmute from "./mod.ts";
 *
 * transmute.require(["hello"], { sources: ["dist"] });
 * await transmute.update();
 *
 * const hello = await transmute.import<typeof import("./hello.ts")>("hello");
 * hello.greet("world");
 * ```
 *
 * @module
 */

export {
  addSource,
  check,
  collectGarbage,
  confirm,
  environment,
  history,
  hold,
  hookImports,
  importEgg,
  importEgg as import,
  relaunch,
  repairStore,
  require,
  resolve,
  rollback,
  self,
  spawn,
  status,
  unhold,
  update,
  verifyStore,
} from "./lib/default.ts";
export { Transmute } from "./lib/transmute.ts";
export type { UnchangedReason, UpdateReport } from "./lib/report.ts";
export type { Interval } from "./lib/model/interval.ts";
export type {
  Background,
  GenerationChange,
  JudgedEgg,
  RollbackOptions,
  SourceLike,
  SourceSettings,
  TransmuteOptions,
  UpdateOptions,
} from "./lib/options.ts";
export type { Upkeep } from "./lib/upkeep.ts";
export type { GarbageOptions, GarbageReport } from "./lib/store/gc.ts";
export type { StoreProblem, StoreReport } from "./lib/store/verify.ts";
export type {
  EggView,
  GenerationStatus,
  GenerationView,
  LeaseView,
  SourceView,
  Status,
} from "./lib/updater/status.ts";
export {
  httpSource,
  JSR_SOURCE,
  NPM_SOURCE,
  PYPI_SOURCE,
  registerSource,
  s3Source,
} from "./lib/sources/open.ts";
export type { AwsCredentials } from "./lib/sources/aws_signature.ts";
export type { HttpSourceOptions } from "./lib/sources/http_address.ts";
export type { S3Options } from "./lib/sources/s3_address.ts";
export type {
  Answer,
  Fetched,
  FileAnswer,
  FileQuestion,
  ListingCache,
  PartialArchive,
  PartialArchives,
  Source,
  SourceContext,
  SourceFactory,
  SourceFiles,
  StoredListing,
} from "./lib/sources/source.ts";
export { ERROR_CODES, isTransmuteError, TransmuteError } from "./lib/errors.ts";
export type { ErrorCode, ErrorContext, ErrorPhase } from "./lib/errors.ts";
export type {
  EventFields,
  EventKind,
  EventLevel,
  Tell,
  TransmuteEvent,
} from "./lib/model/event.ts";
export type { SelfOptions, SelfReport } from "./lib/self.ts";
export type { SpawnOptions } from "./lib/loader/spawn.ts";
export type { ForegroundOptions } from "./lib/runtime/spawning.ts";
export type { ExitStatus } from "./lib/runtime/runtime.ts";
export type {
  PythonFile,
  PythonFileKind,
  PythonManifest,
  PythonRelease,
} from "./lib/model/python.ts";
export type {
  Artifact,
  Ecosystem,
  ExecutableFile,
  ExecutablePacking,
  Listing,
  Manifest,
  RegistryRecord,
  Release,
} from "./lib/model/egg.ts";
export type { MinimumAge, Publisher, TrustPolicy } from "./lib/model/trust.ts";
export type { Refusal, RolledBack } from "./lib/model/state.ts";
export type { Plan, PlannedEgg } from "./lib/updater/plan.ts";
export type { KeptReason } from "./lib/updater/roots.ts";
export type { PassedOver } from "./lib/updater/select.ts";
