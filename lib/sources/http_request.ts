/**
 * How a source asks over HTTP: redirects by hand, bounded in bytes and time, tried again when the
 * failure may pass, continued where a body broke off.
 *
 * `fetch` on its own would follow a redirect to this machine's own services, carry credentials in
 * other headers than `Authorization` to another host, and read without end.
 *
 * @module
 */

import { describeError, TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { Arrival } from "./http_arrival.ts";
import type { HttpAnswer, HttpQuestion, Repetition } from "./http_question.ts";
import { addressText, failure, PassingFailure } from "./http_question.ts";
import type { StartTimer } from "./http_stall.ts";
import { pause, STALL_BYTES, StallWatch, startPlatformTimer, unlessAborted } from "./http_stall.ts";
import { addressKind } from "./private_address.ts";
import type { SourceContext } from "./source.ts";

/** Redirects that one request may follow. */
export const MAX_REDIRECTS = 5;
/** Milliseconds before the first repetition, doubled for each further one. */
export const RETRY_AFTER_MS = 250;
/** A server that asks for more milliseconds than this is not asked again by this request. */
export const MAX_RETRY_AFTER_MS = 5_000;
/** The most milliseconds that a server's wish to be left alone is passed on as. */
export const MAX_REST_MS = 24 * 60 * 60 * 1000;
/** A try that brought so many bytes before it broke off counts for none. */
export const PROGRESS_BYTES = 256 * 1024;
/** How much is read of an answer that the source judges itself. */
export const MAX_JUDGED_BYTES = 64 * 1024;

/** Twice, half of the pause random, unless the question says otherwise. */
const REPETITION: Repetition = {
  maxRetries: 2,
  pauseMs: (failures) => RETRY_AFTER_MS * 2 ** (failures - 1) * (0.5 + Math.random() / 2),
};

const REDIRECTS = [301, 302, 303, 307, 308];
const TRANSIENT = [408, 425, 429, 500, 502, 503, 504];
const EMPTY_ANSWERS = [304, 404, 410];
/** What a server says to the question for the rest of a file that is not what it was. */
const NOT_CONTINUED = [412, 416];

/** What a request needs of a source's context. */
type HttpContext = Pick<SourceContext, "fetch" | "signal" | "partials">;

function stopped(question: HttpQuestion, signal: AbortSignal, last?: unknown): TransmuteError {
  const before = last === undefined ? "" : `; before that, ${describeError(last)}`;
  return failure(
    question,
    "source-timeout",
    `${question.url.host} did not answer before the request was stopped ` +
      `(${describeError(signal.reason)})${before}`,
    { cause: signal.reason },
  );
}

/**
 * Asks, follows redirects, reads the whole body, and repeats what may succeed the next time.
 *
 * A body that breaks off is continued, if the question allows it and the server has a validator
 * for it: within this request, and from what an earlier process left in the store.
 *
 * @param startTimer for tests: what measures stalls and pauses
 * @throws {TransmuteError} `source-unreachable` (with `retryAfterMs` when the server asked for a
 * rest), `source-timeout`, `source-denied`, `permission-missing`, and the question's `tooLarge`
 */
export async function httpGet(
  question: HttpQuestion,
  context: HttpContext,
  startTimer: StartTimer = startPlatformTimer,
): Promise<HttpAnswer> {
  const { maxRetries, pauseMs } = question.repetition ?? REPETITION;
  const arrival = new Arrival(question, context.partials);
  let failures = 0;
  for (;;) {
    if (context.signal.aborted) throw stopped(question, context.signal);
    const before = arrival.totalBytes;
    try {
      return await ask(question, arrival, context, startTimer);
    } catch (error) {
      arrival.keep();
      if (!(error instanceof PassingFailure)) throw error;
      if (arrival.totalBytes - before >= PROGRESS_BYTES) failures = 0;
      failures++;
      if (failures > maxRetries || error.afterMs > MAX_RETRY_AFTER_MS) {
        const times = failures === 1 ? "" : ` ${failures} times`;
        const rest = error.afterMs === 0 ? "" : `, asking for ${error.afterMs / 1000} s of rest`;
        throw failure(question, "source-unreachable", `${error.message}${times}${rest}`, {
          cause: error.cause,
          ...(error.afterMs > 0 ? { retryAfterMs: error.afterMs } : {}),
        });
      }
      await pause(Math.max(pauseMs(failures), error.afterMs), context.signal, startTimer);
      if (context.signal.aborted) throw stopped(question, context.signal, error);
    }
  }
}

/** One try: the request, its redirects and the body of what they lead to. */
async function ask(
  question: HttpQuestion,
  arrival: Arrival,
  context: HttpContext,
  startTimer: StartTimer,
): Promise<HttpAnswer> {
  const watch = new StallWatch(context.signal, startTimer);
  let url = question.url;
  try {
    let mayAuthorize = true;
    for (let redirects = 0;; redirects++) {
      assertMayAsk(question, url);
      const headers = { ...question.headers, ...arrival.conditions() };
      const further = mayAuthorize ? await question.headersFor?.(url, headers) : undefined;
      const { method = "GET", body } = question;
      const asked = context.fetch(url, {
        method,
        ...(body === undefined ? {} : { body: body as BodyInit }),
        headers: { ...headers, ...further },
        redirect: "manual",
        signal: watch.signal,
      });
      const response = await unlessAborted(asked, watch.signal);
      watch.progress(STALL_BYTES);
      const judged = question.judged?.includes(response.status) ?? false;
      if (judged || !REDIRECTS.includes(response.status)) {
        return await answer(question, { url, response, judged, arrival, watch });
      }
      await discard(response, watch);
      const next = redirectTarget(question, url, response);
      if (redirects === MAX_REDIRECTS) {
        throw failure(
          question,
          "source-unreachable",
          `${question.url.host} redirected more than ${MAX_REDIRECTS} times`,
        );
      }
      mayAuthorize &&= next.origin === url.origin;
      url = next;
    }
  } catch (error) {
    if (error instanceof TransmuteError || error instanceof PassingFailure) throw error;
    if (context.signal.aborted) throw stopped(question, context.signal);
    if (watch.hasStalled) {
      throw failure(question, "source-timeout", `${url.host} ${watch.found}`);
    }
    throw new PassingFailure(`${url.host} failed (${networkFailure(error)})`, { cause: error });
  } finally {
    watch.end();
  }
}

/** What went wrong below `fetch`; Node hides it in the cause. */
function networkFailure(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown; message?: unknown } };
  const detail = cause?.code ?? cause?.message;
  return typeof detail === "string" && detail !== "" ? detail : describeError(error);
}

function assertMayAsk(question: HttpQuestion, url: URL): void {
  const refuse = (found: string) => failure(question, "source-unreachable", found);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw refuse(`found an address of the scheme "${url.protocol}", wanted "https:"`);
  }
  const { configured } = question;
  if (url.protocol === "http:" && !configured.some((one) => one.protocol === "http:")) {
    throw refuse(`found the unencrypted address ${addressText(url)}, wanted "https:"`);
  }
  const kind = addressKind(url.hostname);
  if (kind !== "public" && !configured.some((one) => addressKind(one.hostname) === kind)) {
    throw refuse(`it leads to the ${kind} address ${url.host}, wanted a public one`);
  }
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  runtime.assertMayConnect(`${url.hostname}:${port}`);
}

function redirectTarget(question: HttpQuestion, from: URL, response: Response): URL {
  const location = response.headers.get("location");
  const refuse = (found: string) => failure(question, "source-unreachable", found);
  if (location === null || !URL.canParse(location, from)) {
    throw refuse(`${from.host} redirected without an address to go on to`);
  }
  const target = new URL(location, from);
  target.username = "";
  target.password = "";
  if (from.protocol === "https:" && target.protocol === "http:") {
    throw refuse(`${from.host} redirected to the unencrypted address ${addressText(target)}`);
  }
  return target;
}

/** Lets go of a body that nobody reads, so that its connection is free again. */
async function discard({ body }: Response, { signal }: StallWatch): Promise<void> {
  try {
    if (body !== null) await unlessAborted(body.cancel(), signal);
  } catch { /* it had failed already, and nobody was going to read it */ }
}

async function answer(
  question: HttpQuestion,
  { url, response, judged, arrival, watch }: {
    url: URL;
    response: Response;
    judged: boolean;
    arrival: Arrival;
    watch: StallWatch;
  },
): Promise<HttpAnswer> {
  const { status, headers } = response;
  const given = { status, headers, url, resumed: false };
  if (judged) return { ...given, body: await readBeginning(response, watch) };
  if (status === 200 || status === 206) {
    const body = await readWhole(url.host, response, arrival, watch);
    return { ...given, status: 200, body, resumed: arrival.resumed };
  }
  await discard(response, watch);
  if (EMPTY_ANSWERS.includes(status)) return { ...given, body: new Uint8Array() };
  const found = `${url.host} answered ${status}`;
  if (TRANSIENT.includes(status)) throw new PassingFailure(found, { afterMs: restMs(headers) });
  if (NOT_CONTINUED.includes(status) && arrival.conditions().range !== undefined) {
    arrival.forget();
    throw new PassingFailure(found);
  }
  if (status === 401 || status === 403) {
    const hint = question.deniedHint?.();
    throw failure(question, "source-denied", found, hint === undefined ? {} : { hint });
  }
  throw failure(question, "source-unreachable", found);
}

/** How long a server wants to be left alone: in seconds, or until a time by its own clock. */
function restMs(headers: Headers): number {
  const text = headers.get("retry-after")?.trim() ?? "";
  const now = headers.get("date");
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_REST_MS);
  if (!text.endsWith("GMT")) return 0;
  const ms = Date.parse(text) - (now === null ? Date.now() : Date.parse(now));
  return ms > 0 ? Math.min(ms, MAX_REST_MS) : 0;
}

async function readWhole(
  host: string,
  response: Response,
  arrival: Arrival,
  watch: StallWatch,
): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    arrival.expect(host, response.status, response.headers);
    while (reader !== undefined) {
      const { done, value } = await watch.read(reader);
      if (done) break;
      arrival.add(host, value);
    }
    return arrival.whole(host);
  } catch (error) {
    // Not waited for: whatever it comes to, the failure is known.
    reader?.cancel().catch(() => {});
    throw error;
  }
}

/** As much of a body as it takes to learn what a server means by its status. */
async function readBeginning(response: Response, watch: StallWatch): Promise<Uint8Array> {
  const beginning = new Uint8Array(MAX_JUDGED_BYTES);
  const reader = response.body?.getReader();
  if (reader === undefined) return beginning.subarray(0, 0);
  let length = 0;
  while (length < MAX_JUDGED_BYTES) {
    const { done, value } = await watch.read(reader);
    if (done) break;
    const part = value.subarray(0, MAX_JUDGED_BYTES - length);
    beginning.set(part, length);
    length += part.length;
  }
  reader.cancel().catch(() => {});
  return beginning.subarray(0, length);
}
