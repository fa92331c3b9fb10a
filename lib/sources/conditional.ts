/**
 * Asking for something that was answered before: with its validators, so that "not modified" is
 * answer enough.
 *
 * @module
 */

import type { HttpAnswer, HttpQuestion } from "./http_question.ts";
import { addressText, failure } from "./http_question.ts";
import type { SourceContext, StoredListing } from "./source.ts";

/** Headers of an answer that make the next question conditional, and the headers they go into. */
const VALIDATORS: Record<string, string> = {
  "etag": "if-none-match",
  "last-modified": "if-modified-since",
};

/** How an answer is asked for, read, and kept. */
export interface ConditionalQuestion<T> extends Pick<HttpQuestion, "action" | "source" | "url"> {
  /** Which form the kept text is of, where other kinds of source ask the same addresses. */
  form?: string;
  /** Asks, with these headers besides the question's own. */
  ask(conditions: Record<string, string>): Promise<HttpAnswer>;
  /**
   * What a 200 says, and the text to keep for `readKept`.
   *
   * @throws {TransmuteError} when it is no such answer
   */
  read(answer: HttpAnswer): { value: T; keep: string };
  /** What was kept; `null` when it is damaged. */
  readKept(text: string): T | null;
}

/** An answer, or the one of another status than 200 that there was instead. */
export type ConditionalAnswer<T> =
  | { value: T; cached: boolean }
  | { value: null; answer: HttpAnswer };

/**
 * Asks, conditionally where an earlier answer is kept, and keeps the new one.
 *
 * @throws {TransmuteError} `listing-invalid`, and what the question's own functions throw
 */
export async function askConditionally<T>(
  question: ConditionalQuestion<T>,
  { listings }: Pick<SourceContext, "listings">,
): Promise<ConditionalAnswer<T>> {
  const { form, url } = question;
  const key = form === undefined ? url.href : `${form} ${url.href}`;
  const stored = listings.read(key);
  let answer = await question.ask(stored === null ? {} : conditionsOf(stored));
  if (answer.status === 304 && stored !== null) {
    const kept = question.readKept(stored.body);
    if (kept !== null) return { value: kept, cached: true };
    answer = await question.ask({});
  }
  if (answer.status === 304) {
    throw failure(
      question,
      "listing-invalid",
      `${addressText(question.url)} answered "not modified" to a question without conditions`,
    );
  }
  if (answer.status !== 200) return { value: null, answer };
  const { value, keep } = question.read(answer);
  const validators = validatorsOf(answer.headers);
  if (Object.keys(validators).length > 0) listings.write(key, { validators, body: keep });
  return { value, cached: false };
}

/** The headers that make a question conditional on what an earlier answer was valid for. */
export function conditionsOf(
  { validators }: Pick<StoredListing, "validators">,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(validators)
      .filter(([name]) => Object.hasOwn(VALIDATORS, name))
      .map(([name, value]) => [VALIDATORS[name], value]),
  );
}

/** What of an answer makes the next question conditional. */
export function validatorsOf(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    Object.keys(VALIDATORS)
      .map((name) => [name, headers.get(name)])
      .filter(([, value]) => value !== null),
  );
}
