/**
 * What looking for AWS credentials and settings may use: variables, files, and services that are
 * asked with a deadline of their own.
 *
 * @module
 */

import type { ErrorCode } from "../errors.ts";
import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { StartTimer } from "./http_stall.ts";
import { pause, startPlatformTimer, unlessAborted } from "./http_stall.ts";
import type { SourceContext } from "./source.ts";

/** What looking for credentials needs of the runtime. */
export type AwsSurroundings = Pick<
  Runtime,
  "env" | "readTextFile" | "fileErrorKind" | "platform" | "run" | "assertMayConnect"
>;

/** One look for credentials or settings, on behalf of a source. */
export interface AwsLookup extends Pick<SourceContext, "fetch" | "signal"> {
  /** The source's id, for errors. */
  source: string;
  from: AwsSurroundings;
  startTimer: StartTimer;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** A question to a service that gives credentials. */
export interface ServiceQuestion {
  method: "GET" | "PUT" | "POST";
  url: URL;
  headers?: Record<string, string>;
  body?: string;
}

/** An answer of such a service. */
export interface ServiceAnswer {
  status: number;
  text: string;
}

/** More than any of them has to say. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** What a service that gives credentials may take, repetitions included. */
export const SERVICE_MS = 5_000;
/** How often one is asked. */
const SERVICE_TRIES = 3;
/** The longest pause before it is asked again, doubled for each time. */
const SERVICE_PAUSE_MS = 100;

/** A look with this program's own surroundings. */
export function startLookup(
  source: string,
  { fetch, signal }: Pick<SourceContext, "fetch" | "signal">,
  given: Partial<Pick<AwsLookup, "from" | "startTimer" | "now">> = {},
): AwsLookup {
  return {
    source,
    fetch,
    signal,
    from: given.from ?? runtime,
    startTimer: given.startTimer ?? startPlatformTimer,
    now: given.now ?? Date.now,
  };
}

/** The error of a place that should have given credentials and did not; `found` names no secret. */
export function lookupFailure(
  { source }: Pick<AwsLookup, "source">,
  code: ErrorCode,
  place: string,
  found: string,
  more: { hint?: string; cause?: unknown } = {},
): TransmuteError {
  return new TransmuteError(code, `Cannot take credentials from ${place}: ${found}`, {
    source,
    ...more,
  });
}

/** A variable; an empty one counts as not set. */
export function variable({ from }: Pick<AwsLookup, "from">, name: string): string | undefined {
  return from.env(name) || undefined;
}

/** The path of a file in the user's `.aws`; `null` when there is no home folder. */
export function userFile({ from }: Pick<AwsLookup, "from">, name: string): string | null {
  const home = from.env(from.platform().os === "win32" ? "USERPROFILE" : "HOME");
  return home ? joinPath(home, ".aws", name) : null;
}

/**
 * The text of a file; `null` when it does not exist.
 *
 * @throws {TransmuteError} `permission-missing`, `option-invalid`
 */
export function readIfThere(lookup: AwsLookup, path: string): string | null {
  const { from } = lookup;
  try {
    return from.readTextFile(path);
  } catch (error) {
    if (isTransmuteError(error, "permission-missing")) throw error;
    if (from.fileErrorKind(error) === "missing") return null;
    throw lookupFailure(lookup, "option-invalid", path, describeError(error), { cause: error });
  }
}

/**
 * The text of a file that a variable or a setting names.
 *
 * @throws {TransmuteError} `permission-missing`, `option-invalid`
 */
export function readNamed(lookup: AwsLookup, setting: string, path: string): string {
  const text = readIfThere(lookup, path);
  if (text !== null) return text;
  throw lookupFailure(lookup, "option-invalid", path, `there is no such file (${setting})`);
}

/** An end that several questions share. */
export interface Deadline {
  signal: AbortSignal;
  withinMs: number;
  /** Lets go of the timer. */
  end(): void;
}

/** Starts the time that what follows may take, all in all. */
export function startDeadline({ startTimer }: AwsLookup, withinMs: number): Deadline {
  const controller = new AbortController();
  const end = startTimer(withinMs, () => controller.abort());
  return { signal: controller.signal, withinMs, end };
}

/**
 * Asks a service once. Redirects are not followed: whoever gives credentials gives them himself.
 *
 * @throws {TransmuteError} `source-timeout`, `source-unreachable`, `permission-missing`
 */
export async function askService(
  lookup: AwsLookup,
  place: string,
  { method, url, headers = {}, body }: ServiceQuestion,
  deadline: Deadline,
): Promise<ServiceAnswer> {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  lookup.from.assertMayConnect(`${url.hostname}:${port}`);
  const signal = AbortSignal.any([lookup.signal, deadline.signal]);
  try {
    const response = await unlessAborted(
      lookup.fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        redirect: "manual",
        signal,
      }),
      signal,
    );
    return { status: response.status, text: await readText(response, signal) };
  } catch {
    if (lookup.signal.aborted) throw stopped(lookup, place);
    const [code, found] = deadline.signal.aborted
      ? ["source-timeout" as const, `did not answer within ${deadline.withinMs} ms`]
      // What fetch says may show the headers that it was given.
      : ["source-unreachable" as const, "could not be asked"];
    throw lookupFailure(lookup, code, place, `${url.host} ${found}`);
  }
}

function stopped(lookup: AwsLookup, place: string): TransmuteError {
  const reason = describeError(lookup.signal.reason);
  return lookupFailure(lookup, "source-timeout", place, `it was stopped (${reason})`);
}

/**
 * Asks a service, and again when the failure may pass.
 *
 * @throws {TransmuteError} `source-timeout`, `source-unreachable`, `permission-missing`
 */
export async function askRepeatedly(
  lookup: AwsLookup,
  place: string,
  question: ServiceQuestion,
): Promise<ServiceAnswer> {
  const deadline = startDeadline(lookup, SERVICE_MS);
  try {
    for (let attempt = 1;; attempt++) {
      let failure: unknown;
      try {
        const answer = await askService(lookup, place, question, deadline);
        if (answer.status < 500 && answer.status !== 429) return answer;
        failure = lookupFailure(
          lookup,
          "source-unreachable",
          place,
          `${question.url.host} answered ${answer.status}`,
        );
      } catch (error) {
        if (!isTransmuteError(error, "source-unreachable")) throw error;
        failure = error;
      }
      if (attempt === SERVICE_TRIES) throw failure;
      const signal = AbortSignal.any([lookup.signal, deadline.signal]);
      await pause(Math.random() * SERVICE_PAUSE_MS * 2 ** attempt, signal, lookup.startTimer);
      if (signal.aborted) throw failure;
    }
  } finally {
    deadline.end();
  }
}

async function readText(response: Response, signal: AbortSignal): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  let totalBytes = 0;
  try {
    for (;;) {
      const { done, value } = await unlessAborted(reader.read(), signal);
      if (done) return text + decoder.decode();
      totalBytes += value.length;
      if (totalBytes > MAX_ANSWER_BYTES) throw new Error(`more than ${MAX_ANSWER_BYTES} bytes`);
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  }
}
