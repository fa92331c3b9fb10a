/**
 * Asking a signed repository what is new: one conditional question when nothing is, and from there
 * only what changed. Everything that comes is judged by `trust/tuf.ts`.
 *
 * @module
 */

import type { ErrorCode } from "../errors.ts";
import { isTransmuteError, TransmuteError } from "../errors.ts";
import type { Tell } from "../model/event.ts";
import type { FileAnswer, Source, SourceContext } from "../sources/source.ts";
import type { RepositoryMetadata } from "../store/metadata.ts";
import { MAX_METADATA_BYTES } from "../trust/metadata_limits.ts";
import { SignedRepository } from "../trust/tuf.ts";

/** The most milliseconds that all of a repository's metadata may take to arrive. */
export const METADATA_DEADLINE_MS = 60_000;
/** A clock that is further back than at the last time, in milliseconds, cannot judge freshness. */
const CLOCK_TOLERANCE_MS = 24 * 60 * 60 * 1000;

/** What opening a repository needs of its surroundings. */
export interface RepositorySettings {
  /** Whose files are the repository's: `metadata/` and `targets/`. */
  repository: Source;
  /** The root that the application carries. */
  root: Uint8Array;
  kept: RepositoryMetadata;
  /** Milliseconds since the epoch. */
  now: () => number;
  tell: Tell;
  /** @default {METADATA_DEADLINE_MS} */
  deadlineMs?: number;
}

/** A repository that was verified, and whether it merely confirmed what was known of it. */
export interface OpenedRepository {
  metadata: SignedRepository;
  cached: boolean;
}

/** What may be the fault of what is kept, and not of the repository. */
const MAY_BE_OURS = new Set<ErrorCode>([
  "metadata-expired",
  "signature-invalid",
  "digest-mismatch",
  "listing-invalid",
  "downgrade-refused",
]);

/**
 * Verifies a repository's newest metadata.
 *
 * @throws {TransmuteError} `metadata-expired`, `downgrade-refused`, `signature-invalid`,
 * `digest-mismatch`, `listing-invalid`, `option-invalid`, and what its source throws
 */
export async function openRepository(
  settings: RepositorySettings,
  context: SourceContext,
): Promise<OpenedRepository> {
  const { kept, now } = settings;
  const seen = kept.lastSeen();
  assertClock(settings, seen?.checkedAt);
  const conditions = kept.read("timestamp") === null ? undefined : seen?.validators;
  const asked = new Question(settings, context);
  await asked.askTimestamp(conditions);
  const metadata = openMetadata(settings, asked);
  try {
    await metadata.refresh();
  } catch (error) {
    const again = asked.isUnchanged && isTransmuteError(error) && MAY_BE_OURS.has(error.code);
    if (!again) throw withClocks(error, asked.servedAt, now());
    // What is kept may be damaged, or the roots have changed alone: ask for everything.
    return await openAfresh(settings, context);
  }
  remember(settings, asked, metadata);
  return { metadata, cached: asked.isUnchanged };
}

async function openAfresh(
  settings: RepositorySettings,
  context: SourceContext,
): Promise<OpenedRepository> {
  const asked = new Question(settings, context);
  const metadata = openMetadata(settings, asked);
  try {
    await metadata.refresh();
  } catch (error) {
    throw withClocks(error, asked.servedAt, settings.now());
  }
  remember(settings, asked, metadata);
  return { metadata, cached: false };
}

function openMetadata({ repository, root, kept, now }: RepositorySettings, asked: Question) {
  return new SignedRepository({
    source: repository.id,
    root,
    kept,
    bring: (file, maxBytes) => asked.bring(file, maxBytes),
    now: now(),
  });
}

function remember(
  { repository, kept, now, tell }: RepositorySettings,
  asked: Question,
  metadata: SignedRepository,
): void {
  kept.see({ checkedAt: now(), validators: asked.validators });
  tell("info", "repository-verified", {
    source: repository.id,
    root: metadata.version("root")!,
    timestamp: metadata.version("timestamp")!,
    expiresAt: new Date(metadata.expiresAt).toISOString(),
  });
}

/** The questions to a repository in one update. */
class Question {
  readonly #settings: RepositorySettings;
  readonly #context: SourceContext;
  /** What came of `timestamp.json` and was not looked at yet. */
  #timestamp: Uint8Array | null = null;
  /** True when the repository said that nothing is newer than what is kept. */
  isUnchanged = false;
  validators: Record<string, string> = {};
  servedAt: number | undefined;

  constructor(settings: RepositorySettings, context: SourceContext) {
    this.#settings = settings;
    const deadline = AbortSignal.timeout(settings.deadlineMs ?? METADATA_DEADLINE_MS);
    this.#context = { ...context, signal: AbortSignal.any([context.signal, deadline]) };
  }

  /** Asks for the timestamp first of all, conditionally: most of the time, that is all. */
  async askTimestamp(validators: Record<string, string> | undefined): Promise<void> {
    const known = validators !== undefined && Object.keys(validators).length > 0;
    const answer = await this.#read("timestamp.json", MAX_METADATA_BYTES.timestamp, {
      ...(known ? { validators } : {}),
    });
    this.isUnchanged = answer.status === "not-modified";
    if (this.isUnchanged) this.validators = validators!;
    if (answer.status === "read") this.#timestamp = answer.bytes;
  }

  async bring(file: string, maxBytes: number): Promise<Uint8Array | null> {
    const isRoot = file.endsWith(".root.json");
    if (file === "timestamp.json") {
      const known = this.isUnchanged ? this.#settings.kept.read("timestamp") : this.#timestamp;
      this.#timestamp = null;
      if (known !== null) return known;
    } else if (isRoot && this.isUnchanged) return null;
    const answer = await this.#read(file, maxBytes, { absentWhenDenied: isRoot });
    // A timestamp from before this root may be signed by keys that it retires.
    if (isRoot && answer.status === "read") this.#timestamp = null;
    return answer.status === "read" ? answer.bytes : null;
  }

  async #read(
    file: string,
    maxBytes: number,
    more: { validators?: Record<string, string>; absentWhenDenied?: boolean },
  ): Promise<FileAnswer> {
    const { repository } = this.#settings;
    if (/[/\\]/.test(file)) {
      throw new TransmuteError(
        "listing-invalid",
        `Cannot trust ${repository.id}: found a role named ${JSON.stringify(file)}`,
        { source: repository.id },
      );
    }
    const question = { path: `metadata/${file}`, maxBytes, ...more };
    const answer = await repository.files!.read(question, this.#context);
    this.servedAt = answer.servedAt;
    if (file === "timestamp.json" && answer.status === "read") this.validators = answer.validators;
    return answer;
  }
}

function assertClock({ repository, now }: RepositorySettings, seenAt: number | undefined): void {
  if (seenAt === undefined || now() >= seenAt - CLOCK_TOLERANCE_MS) return;
  const [clock, before] = [now(), seenAt].map((at) => new Date(at).toISOString());
  throw new TransmuteError(
    "metadata-expired",
    `Cannot tell how fresh ${repository.id} is: this machine's clock says ${clock}, and it said ` +
      `${before} when the repository was last asked`,
    { source: repository.id, hint: "Set this machine's clock" },
  );
}

/** Names a clock that the repository's server contradicts. */
function withClocks(error: unknown, servedAt: number | undefined, now: number): unknown {
  if (!isTransmuteError(error, "metadata-expired") || servedAt === undefined) return error;
  if (Math.abs(servedAt - now) <= CLOCK_TOLERANCE_MS) return error;
  const { message, source, cause } = error;
  return new TransmuteError("metadata-expired", message, {
    ...(source === undefined ? {} : { source }),
    cause,
    hint: `This machine's clock says ${new Date(now).toISOString()} and the repository's server ` +
      `${new Date(servedAt).toISOString()}: set the one that is wrong`,
  });
}
