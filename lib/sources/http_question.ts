/**
 * One question over HTTP: what is asked, the limits it is asked under, and how it fails.
 *
 * @module
 */

import type { ErrorCode, ErrorContext } from "../errors.ts";
import { TransmuteError } from "../errors.ts";

/** One request, and the limits that it is made under. */
export interface HttpQuestion {
  /** What is being done, for messages: `list hello`. */
  action: string;
  /** The source's id, for errors. */
  source: string;
  url: URL;
  /** @default {"GET"} */
  method?: "GET" | "PUT" | "DELETE";
  /** What is sent; may be sent again when a try fails. */
  body?: Uint8Array;
  headers: Record<string, string>;
  /**
   * The addresses that the user configured. Plain HTTP, and hosts on this machine or its network,
   * are asked only when one of these is of that kind.
   */
  configured: readonly URL[];
  /**
   * Further headers for one hop: `Authorization`, or a signature over `headers`, which are all the
   * others that will be sent. Asked before every try, and not once a redirect left the origin.
   */
  headersFor?(
    url: URL,
    headers: Readonly<Record<string, string>>,
  ): Record<string, string> | Promise<Record<string, string>>;
  /**
   * Further statuses whose answer the source judges itself: it is returned, with the first
   * `MAX_JUDGED_BYTES` of its body, in place of being followed, repeated or refused.
   */
  judged?: readonly number[];
  /** A body larger than this is not read to its end. */
  maxBytes: number;
  /** The code of the error for a larger body. */
  tooLarge: ErrorCode;
  /** How a body that broke off is continued; without it, it is asked for again as a whole. */
  resume?: ResumeQuestion;
  /** How often what may pass is asked again. @default {twice} */
  repetition?: Repetition;
  /** Advice for when the source denies the request. */
  deniedHint?(): string;
}

/** How often a request is repeated after a failure that may pass, and when. */
export interface Repetition {
  maxRetries: number;
  /** Milliseconds before the next try, after so many failures in a row. */
  pauseMs(failures: number): number;
}

/** How a body that broke off is continued. */
export interface ResumeQuestion {
  /** What the store keeps the beginning under: the file's address, without credentials. */
  key: string;
  /** The header that carries the validator of the beginning. `if-match` takes ETags only. */
  condition: "if-range" | "if-match";
}

/** A final answer. */
export interface HttpAnswer {
  /** 200, 304, 404, 410, or one that the question wants to judge. */
  status: number;
  headers: Headers;
  /** Empty unless the status is 200 or judged. */
  body: Uint8Array;
  /** Where the last redirect led. */
  url: URL;
  /** True when the body was put together from several answers, perhaps of an earlier process. */
  resumed: boolean;
}

/** A failure that may be gone at the next try. */
export class PassingFailure extends Error {
  /** The milliseconds for which the server asked to be left alone. */
  readonly afterMs: number;

  constructor(message: string, options: { cause?: unknown; afterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.afterMs = options.afterMs ?? 0;
  }
}

/** An address as messages may show it: without credentials and without its query. */
export function addressText(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** The error for a question that failed: `found` goes after its action. */
export function failure(
  question: Pick<HttpQuestion, "action" | "source">,
  code: ErrorCode,
  found: string,
  more: Pick<ErrorContext, "hint" | "cause" | "retryAfterMs"> = {},
): TransmuteError {
  return new TransmuteError(code, `Cannot ${question.action}: ${found}`, {
    source: question.source,
    ...more,
  });
}
