/**
 * The words by which a service that speaks S3 refuses a request, and what can be done about each.
 *
 * @module
 */

import type { ErrorCode, TransmuteError } from "../errors.ts";
import type { AwsCredentials } from "./aws_signature.ts";
import type { HttpAnswer } from "./http_question.ts";
import { failure } from "./http_question.ts";
import type { S3Address } from "./s3_address.ts";
import type { S3Error } from "./s3_answer.ts";

/** The clocks differ by more than a quarter of an hour. */
export const SKEWED = new Set(["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]);

/** Temporary keys that have ended; services that forget such keys do not know them any more. */
export const EXPIRED = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidToken",
  "TokenRefreshRequired",
]);

const WRONG_KEYS = new Set(["SignatureDoesNotMatch", "NotSignedUp", "InvalidSecurity"]);

/**
 * The error for an answer that nothing can be made of. Of the service's text it has only the code
 * and the request's number, and these only when they do not repeat what was sent.
 *
 * @param credentials what the request was made with
 * @param right what the request needs to be allowed, such as `s3:GetObject`
 */
export function s3Failure(
  action: string,
  { status, url }: HttpAnswer,
  { code, requestId }: S3Error,
  address: S3Address,
  credentials: AwsCredentials | null,
  right = "s3:GetObject",
): TransmuteError {
  const secrets = [credentials?.secretAccessKey, credentials?.sessionToken]
    .filter((secret) => secret !== undefined);
  const details = [code, requestId === null ? null : `request ${requestId}`]
    .filter((detail) => detail !== null && !secrets.some((secret) => detail.includes(secret)))
    .join(", ");
  const found = `${url.host} answered ${status}${details === "" ? "" : ` (${details})`}`;
  const fail = (kind: ErrorCode, text: string, hint?: string) =>
    failure({ action, source: address.id }, kind, text, hint === undefined ? {} : { hint });
  if (status === 404) {
    return fail("source-unreachable", `${found}: there is no bucket ${address.bucket}`);
  }
  if (status < 400) {
    return fail(
      "source-unreachable",
      `${found} without saying in which region the bucket is`,
      "Set the region: AWS_REGION, or the option region",
    );
  }
  const hint = deniedHint(status, code, address, credentials === null ? null : right);
  return hint === null ? fail("source-unreachable", found) : fail("source-denied", found, hint);
}

/** What to do about a denial; `null` for an answer of 400 that is none. */
function deniedHint(
  status: number,
  code: string | null,
  { bucket, prefix }: S3Address,
  right: string | null,
): string | null {
  if (code !== null && SKEWED.has(code)) return "Set this machine's clock";
  if (code !== null && EXPIRED.has(code)) return "Renew the credentials, or correct the access key";
  if (code !== null && WRONG_KEYS.has(code)) return "Correct the secret of the access key";
  if (status === 400) return null;
  return right !== null
    ? `Allow this identity ${right} on ${bucket}/${prefix}* and s3:ListBucket on ${bucket}`
    : "No credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
}
