/**
 * What is active and why, as a value, from the disk alone.
 *
 * @module
 */

import { projectOf } from "../model/requirement.ts";
import type { ActiveEgg, Generation, Refusal } from "../model/state.ts";
import { livenessOf } from "../runtime/processes.ts";
import type { StorePaths } from "../store/cache.ts";
import { readClosureRecord } from "../store/closure.ts";
import { listGenerations, readGeneration } from "../store/generations.ts";
import type { Lease } from "../store/leases.ts";
import { countFailedStarts, listLeases, mayBeRunning } from "../store/leases.ts";
import { isProven, readRejection } from "../store/marks.ts";
import { readState } from "../store/state.ts";
import type { UpdateRequest } from "./request.ts";

/** How far a generation has come. */
export type GenerationStatus =
  | "probation"
  | "confirmed"
  | "rejected"
  | "unproven";

/** One generation on record. */
export interface GenerationView {
  /** Its number. */
  generation: number;
  /** True for the one that programs run on. */
  active: boolean;
  /**
   * `probation`: active, and not proven yet; `confirmed`: proven; `rejected`: failed or was rolled
   * back; `unproven`: followed by another before it could prove itself.
   */
  status: GenerationStatus;
  /** The generation before it, or `null`. */
  parent: number | null;
  /** ISO 8601. */
  createdAt: string;
  /** By project: its version. */
  eggs: Record<string, string>;
  /** When and why it was rejected. */
  rejected?: { at: string; reason: string };
}

/** One active egg. */
export interface EggView {
  /** The project's name. */
  project: string;
  /** The active version. */
  version: string;
  /** Where it came from: a source's address without credentials. */
  source: string;
  /** What its bytes were proven by, in words. */
  proof: string;
  /** True when it stays at this version until `unhold()`. */
  held: boolean;
  /** The content name of its closure. */
  closure: string;
}

/** One source and its schedule. */
export interface SourceView {
  /** Its address without credentials. */
  source: string;
  /** Local sources are looked at on every start. */
  kind: "local" | "network";
  /** When it was last asked, in milliseconds since the epoch; `null` when it never was. */
  checkedAt: number | null;
  /** When it is to be asked again; `null` for at the next start. */
  nextAt: number | null;
}

/** A program that uses a generation, or whose start failed. */
export interface LeaseView {
  /** The process. */
  pid: number;
  /** The generation that it uses. */
  generation: number;
  /** When it began to use it, in milliseconds since the epoch. */
  since: number;
  /**
   * `running`; `failed`: its start counts against the generation; `ended`: it is gone, which tells
   * nothing; `elsewhere`: on another machine, or not to be seen from here.
   */
  state: "running" | "failed" | "ended" | "elsewhere";
  /** Why it failed, in words. */
  reason?: string;
}

/** What is active and why. */
export interface Status {
  /** The application's identity. */
  app: string;
  /** The store's folder. */
  store: string;
  /** What programs run on; `null` before the first update. */
  active: GenerationView | null;
  /** Failed starts of the active generation, of which `probationStarts` reject it. */
  failedStarts: number;
  /** How many failed starts reject a new generation. */
  probationStarts: number;
  /** The active eggs, by the order of their names. */
  eggs: EggView[];
  /** The declared sources. */
  sources: SourceView[];
  /** Every generation on record, the newest first. */
  generations: GenerationView[];
  /** Artifacts that are not taken while they stay as they are, and why. */
  refused: Refusal[];
  /** Projects that stay at their version. */
  held: string[];
  /** Programs that use this application's generations. */
  leases: LeaseView[];
  /** True when the state cannot be read: the next start recovers it. */
  damaged: boolean;
}

/** Reads the status of an application. Changes nothing. */
export function statusOf(
  { paths, options, sources, question }: UpdateRequest,
): Promise<Status> {
  const { state, damaged } = readState(paths);
  const { active } = state;
  const records = listGenerations(paths).flatMap((number) => readGeneration(paths, number) ?? []);
  const generations = records.reverse().map((record) => viewOf(paths, record, active));
  const isListed = generations.some(({ generation }) => generation === active?.generation);
  if (active !== null && !isListed) generations.unshift(viewOf(paths, active, active));
  const onProbation = active?.probation !== undefined && !isProven(paths, active);
  const now = options.now();
  return Promise.resolve({
    app: options.app,
    store: paths.root,
    active: generations.find((view) => view.active) ?? null,
    failedStarts: onProbation ? countFailedStarts(paths, active.generation, now).count : 0,
    probationStarts: options.probationStarts,
    eggs: Object.entries(active?.eggs ?? {}).sort().map(([project, egg]) => ({
      project,
      version: egg.version,
      source: egg.source,
      proof: proofOf(paths, project, egg),
      held: state.held?.includes(project) ?? false,
      closure: egg.closure,
    })),
    sources: sources.map(({ source: { id, kind } }) => {
      const check = state.checks[id];
      const scheduled = question.sources.find((source) => source.id === id);
      const unchanged = check !== undefined && scheduled?.fingerprint === check.fingerprint;
      return {
        source: id,
        kind,
        checkedAt: check?.checkedAt ?? null,
        nextAt: check === undefined || (kind === "local" && !unchanged) ? null : check.nextAt,
      };
    }),
    generations,
    refused: state.refused,
    held: state.held ?? [],
    leases: listLeases(paths).flatMap((lease) => leaseViews(lease, now)),
    damaged,
  });
}

function viewOf(paths: StorePaths, record: Generation, active: Generation | null): GenerationView {
  const { generation, parent, createdAt, eggs } = record;
  const isActive = generation === active?.generation;
  const rejection = readRejection(paths, generation);
  return {
    generation,
    active: isActive,
    status: rejection !== null
      ? "rejected"
      : (isActive && active.probation === undefined) || isProven(paths, record)
      ? "confirmed"
      : isActive
      ? "probation"
      : "unproven",
    parent,
    createdAt,
    eggs: Object.fromEntries(
      Object.entries(eggs).map(([project, { version }]) => [project, version]),
    ),
    ...(rejection === null ? {} : { rejected: { at: rejection.at, reason: rejection.reason } }),
  };
}

/** What an egg's bytes were proven by, as its closure's record has it. */
function proofOf(paths: StorePaths, project: string, { closure }: ActiveEgg): string {
  const record = readClosureRecord(paths, closure);
  const python = projectOf(project, "python");
  const member = record?.packages.find((one) =>
    python === null ? one.location === `node_modules/${project}` : one.project === python
  );
  if (member === undefined) return "unknown: its record is gone or damaged";
  const isDigest = (claim: string) => /^sha\d+:/.test(claim);
  const vouched = member.checked.filter((claim) => claim !== "size" && !isDigest(claim));
  const checked = [
    ...member.checked.filter((claim) => claim === "size"),
    ...member.checked.filter(isDigest)
      .map((claim) => claim.split(":")[0].replace(/^sha/, "SHA-")),
  ];
  if (vouched.length > 0) return [...vouched, checked.join(", ")].join("; ");
  return checked.length === 0
    ? "unsigned; its source promised nothing to check it by"
    : `unsigned; ${checked.join(", ")} as its source promised`;
}

function leaseViews({ owner, uses, ...lease }: Lease, now: number): LeaseView[] {
  const liveness = livenessOf(owner);
  return uses.map(({ generation, since, phase, reason }) => ({
    pid: owner.pid,
    generation,
    since,
    state: phase === "failed"
      ? "failed"
      : liveness === "running"
      ? "running"
      : liveness === "unknown" && mayBeRunning({ owner, uses, ...lease }, now)
      ? "elsewhere"
      : "ended",
    ...(reason === undefined ? {} : { reason }),
  }));
}
