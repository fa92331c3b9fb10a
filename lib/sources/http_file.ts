/**
 * Reading one file below an address over HTTP, as signed repositories are read.
 *
 * @module
 */

import { conditionsOf, validatorsOf } from "./conditional.ts";
import type { HttpAnswer, HttpQuestion } from "./http_question.ts";
import { addressText, failure } from "./http_question.ts";
import type { FileAnswer, FileQuestion } from "./source.ts";

/** What `readFile` asks, for the source to add its own limits and headers. */
export type HttpFileQuestion = Pick<
  HttpQuestion,
  "action" | "url" | "headers" | "maxBytes" | "tooLarge" | "judged"
>;

/** The address of the file at a path below `base`, whose own path ends in a slash. */
export function fileAddress(path: string, base: URL): URL {
  return new URL(path.split("/").map(encodeURIComponent).join("/"), base);
}

/**
 * Reads a file.
 *
 * @param ask asks over HTTP in the source's own way
 * @throws {TransmuteError} `size-mismatch`, and what `ask` throws
 */
export async function readHttpFile(
  { path, maxBytes, validators, absentWhenDenied = false }: FileQuestion,
  { source, base }: { source: string; base: URL },
  ask: (question: HttpFileQuestion) => Promise<HttpAnswer>,
): Promise<FileAnswer> {
  const url = fileAddress(path, base);
  const action = `fetch ${addressText(url)}`;
  const answer = await ask({
    action,
    url,
    headers: {
      "accept": "*/*",
      "accept-encoding": "identity",
      ...(validators === undefined ? {} : conditionsOf({ validators })),
    },
    maxBytes,
    tooLarge: "size-mismatch",
    ...(absentWhenDenied ? { judged: [403] } : {}),
  });
  const date = Date.parse(answer.headers.get("date") ?? "");
  const servedAt = Number.isNaN(date) ? {} : { servedAt: date };
  if (answer.status === 200) {
    const { body, headers } = answer;
    return { status: "read", bytes: body, validators: validatorsOf(headers), ...servedAt };
  }
  if (answer.status !== 304) return { status: "absent", ...servedAt };
  if (validators !== undefined) return { status: "not-modified", ...servedAt };
  throw failure(
    { action, source },
    "listing-invalid",
    `${url.host} answered "not modified" to a question without conditions`,
  );
}
