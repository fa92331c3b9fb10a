/**
 * Asking one bucket: signed, at the right host, in the right region, by the right clock.
 *
 * What a service objects to is mended once in each way: the region that it names, the time that it
 * has, credentials that ended. A redirect is never followed. It would carry a signature for
 * another host; what it says of the region is enough to ask that host by its own name.
 *
 * @module
 */

import { CredentialKeeper, findCredentials, givenCredentials } from "./aws_credentials.ts";
import type { FoundCredentials } from "./aws_credentials.ts";
import type { AwsLookup } from "./aws_lookup.ts";
import { startLookup } from "./aws_lookup.ts";
import type { AwsSettings } from "./aws_settings.ts";
import { readAwsSettings } from "./aws_settings.ts";
import { signedHeaders } from "./aws_signature.ts";
import type { HttpAnswer, HttpQuestion, Repetition } from "./http_question.ts";
import { httpGet, RETRY_AFTER_MS } from "./http_request.ts";
import { startPlatformTimer } from "./http_stall.ts";
import type { S3Address } from "./s3_address.ts";
import { isRegion } from "./s3_address.ts";
import type { S3Error } from "./s3_answer.ts";
import { readS3Error } from "./s3_answer.ts";
import { EXPIRED, s3Failure, SKEWED } from "./s3_failure.ts";
import type { S3Place } from "./s3_endpoint.ts";
import { firstRegion, placeOf, regionOfHost, s3Url } from "./s3_endpoint.ts";
import type { SourceContext } from "./source.ts";

/** What tests put in place of the environment and of time. */
export type S3Surroundings = Partial<Pick<AwsLookup, "from" | "startTimer" | "now">>;

/** A request for an object, or for the bucket when `key` is empty. */
export interface S3Question extends
  Pick<
    HttpQuestion,
    "action" | "method" | "body" | "headers" | "maxBytes" | "tooLarge" | "judged" | "resume"
  > {
  key: string;
  query?: Record<string, string>;
  /** The SHA-256 of the body, in hexadecimal. */
  contentSha256?: string;
}

/** Statuses by which a service tells what is wrong with a request. */
const JUDGED = [301, 302, 303, 307, 308, 400, 401, 403, 404];
/** What an identity needs to be allowed for each method. */
const RIGHTS = { GET: "s3:GetObject", PUT: "s3:PutObject", DELETE: "s3:DeleteObject" } as const;
const ELSEWHERE = [301, 302, 303, 307, 308, 400];

/**
 * Once more than other servers are asked again, for "slow down" is part of the protocol; and all of
 * the pause random, so that many programs that were told so do not come back together.
 */
const REPETITION: Repetition = {
  maxRetries: 3,
  pauseMs: (failures) => Math.random() * RETRY_AFTER_MS * 2 ** (failures - 1),
};

/** Asks a bucket, and remembers what it learns of it. */
export class S3Bucket {
  readonly #address: S3Address;
  readonly #surroundings: S3Surroundings;
  readonly #keeper: CredentialKeeper;
  #settings: AwsSettings | null = null;
  #region: string | null = null;
  /** How much the service's clock is ahead of this machine's, in milliseconds. */
  #aheadMs = 0;
  /** What anonymous access was told for. */
  #told: FoundCredentials | null = null;

  constructor(address: S3Address, surroundings: S3Surroundings = {}) {
    this.#address = address;
    this.#surroundings = surroundings;
    const { credentials } = address.options;
    this.#keeper = new CredentialKeeper((lookup) =>
      credentials === undefined
        ? findCredentials(lookup, this.#settingsOf(lookup))
        : credentials === "anonymous"
        ? Promise.resolve({ credentials: null, reason: "by the source's own setting" })
        : givenCredentials(lookup, credentials)
    );
  }

  /** Whether objects are asked for their checksums. */
  hasChecksums(context: SourceContext): boolean {
    return this.#placeOf(this.#lookup(context)).service.checksums;
  }

  /**
   * Asks, and asks again when the service says what was wrong with the question.
   *
   * @returns an answer of 200, 304, 404, 410, or one that the question wants to judge
   * @throws {TransmuteError} `source-unreachable`, `source-timeout`, `source-denied`,
   * `permission-missing`, `option-invalid`, and the question's `tooLarge`
   */
  async ask(question: S3Question, context: SourceContext): Promise<HttpAnswer> {
    const lookup = this.#lookup(context);
    const place = this.#placeOf(lookup);
    this.#region ??= this.#firstRegion(lookup, place, context);
    const mended = new Set<string>();
    for (;;) {
      const region = this.#region;
      const url = s3Url(place, region, question.key, question.query);
      const { startTimer = startPlatformTimer } = this.#surroundings;
      // Before the request's own time runs: somebody may have to touch a key.
      await this.#keeper.current(lookup);
      const answer = await httpGet(
        this.#httpQuestion(question, url, { lookup, region, context }),
        context,
        startTimer,
      );
      if (!JUDGED.includes(answer.status)) return answer;
      const error = await readS3Error(answer.headers, answer.body);
      const mend = await this.#mend(answer, error, { lookup, place, region, context });
      if (mend !== null && !mended.has(mend)) {
        mended.add(mend);
        continue;
      }
      if (this.#isForQuestion(question, answer, error)) return answer;
      const { credentials } = await this.#keeper.current(lookup);
      const right = RIGHTS[question.method ?? "GET"];
      throw s3Failure(question.action, answer, error, this.#address, credentials, right);
    }
  }

  #lookup(context: SourceContext): AwsLookup {
    return startLookup(this.#address.id, context, this.#surroundings);
  }

  #settingsOf(lookup: AwsLookup): AwsSettings {
    return this.#settings ??= readAwsSettings(lookup, this.#address.options);
  }

  #placeOf(lookup: AwsLookup): S3Place {
    const { bucket, options } = this.#address;
    return placeOf(bucket, this.#settingsOf(lookup).endpoint, options.pathStyle);
  }

  /** The region that was learnt before, or the one that is set, or a guess. */
  #firstRegion(lookup: AwsLookup, place: S3Place, { listings }: SourceContext): string {
    const learnt = listings.read(this.#regionKey(place))?.body;
    return learnt !== undefined && isRegion(learnt)
      ? learnt
      : this.#settingsOf(lookup).region ?? firstRegion(place);
  }

  #regionKey({ endpoint, bucket }: S3Place): string {
    return `region of ${endpoint?.href ?? "s3:"} ${bucket}`;
  }

  #httpQuestion(
    { key: _key, query: _query, contentSha256, ...question }: S3Question,
    url: URL,
    { lookup, region, context }: { lookup: AwsLookup; region: string; context: SourceContext },
  ): HttpQuestion {
    const { id, options } = this.#address;
    return {
      ...question,
      url,
      source: id,
      configured: [url],
      headers: {
        "accept-encoding": "identity",
        ...question.headers,
        ...(options.requesterPays ? { "x-amz-request-payer": "requester" } : {}),
      },
      judged: [...JUDGED, ...question.judged ?? []],
      repetition: REPETITION,
      headersFor: async (asked, headers) => {
        const found = await this.#keeper.current(lookup);
        if (found.credentials === null) {
          this.#tellAnonymous(found, context);
          return {};
        }
        // Only what is the protocol's own: proxies change other headers, and the signature breaks.
        const own = Object.entries(headers).filter(([name]) => name.startsWith("x-amz-"));
        return await signedHeaders(
          {
            method: question.method ?? "GET",
            url: asked,
            headers: Object.fromEntries(own),
            ...(contentSha256 === undefined ? {} : { contentSha256 }),
          },
          {
            credentials: found.credentials,
            service: "s3",
            region,
            at: lookup.now() + this.#aheadMs,
          },
        );
      },
    };
  }

  #tellAnonymous(found: FoundCredentials & { credentials: null }, { tell }: SourceContext): void {
    if (this.#told === found) return;
    this.#told = found;
    const level = this.#address.options.credentials === "anonymous" ? "debug" : "info";
    tell?.(level, "anonymous", { source: this.#address.id, message: found.reason });
  }

  /** What was put right so that it is worth asking again; `null` for nothing. */
  async #mend(
    { status, headers }: HttpAnswer,
    { code, region: named, host }: S3Error,
    { lookup, place, region, context }: {
      lookup: AwsLookup;
      place: S3Place;
      region: string;
      context: SourceContext;
    },
  ): Promise<string | null> {
    if (ELSEWHERE.includes(status)) {
      const found = named ?? regionOfHost(host ?? "") ?? regionOfLocation(headers);
      if (found !== null && isRegion(found) && found !== region) {
        this.#region = found;
        context.listings.write(this.#regionKey(place), { validators: {}, body: found });
        return "region";
      }
    }
    const date = Date.parse(headers.get("date") ?? "");
    if (code !== null && SKEWED.has(code) && !Number.isNaN(date)) {
      this.#aheadMs = date - lookup.now();
      return "clock";
    }
    if (code !== null && EXPIRED.has(code)) {
      const { credentials: before } = await this.#keeper.current(lookup);
      if (before?.sessionToken === undefined) return null;
      const { credentials: after } = await this.#keeper.renewed(lookup);
      return after?.sessionToken === before.sessionToken ? null : "credentials";
    }
    return code === "RequestTimeout" ? "timeout" : null;
  }

  /** Whether the question itself can make something of what would be a failure. */
  #isForQuestion({ key, judged }: S3Question, { status }: HttpAnswer, { code }: S3Error): boolean {
    if (code !== null && EXPIRED.has(code)) return false;
    return status === 404
      ? key !== "" && code !== "NoSuchBucket"
      : judged?.includes(status) ?? false;
  }
}

function regionOfLocation(headers: Headers): string | null {
  const location = headers.get("location") ?? "";
  return URL.canParse(location) ? regionOfHost(new URL(location).hostname) : null;
}
