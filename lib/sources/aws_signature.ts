/**
 * Signature Version 4 of AWS, by aws4fetch's signer. Only the signer: repetitions, redirects and
 * the choice of service and region are ours.
 *
 * @module
 */

/** The keys of an AWS identity; the form that the AWS SDK gives them, so its providers fit. */
export interface AwsCredentials {
  /** The public half, which names the identity. */
  accessKeyId: string;
  /** The secret half, which signs and is never sent. */
  secretAccessKey: string;
  /** Comes with temporary keys and is sent with every request. */
  sessionToken?: string;
  /** When they end. Absent on keys that do not. */
  expiration?: Date;
}

/** A request to be signed. */
export interface UnsignedRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  url: URL;
  /** Headers to be covered by the signature, in lower case; `host` always is. */
  headers: Readonly<Record<string, string>>;
  body?: string;
  /** The SHA-256 of a body that is sent to S3, in hexadecimal. @default {that of no bytes} */
  contentSha256?: string;
}

/** What a signature is made with. */
export interface SigningScope {
  credentials: AwsCredentials;
  service: "s3" | "sts";
  region: string;
  /** Milliseconds since the epoch, by the server's clock. */
  at: number;
}

/** SHA-256 of no bytes at all: what the body of a GET is. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The headers to send with a request: those given, and the signature over them. */
export async function signedHeaders(
  request: UnsignedRequest,
  { credentials, service, region, at }: SigningScope,
): Promise<Record<string, string>> {
  const { AwsV4Signer } = await import("npm:aws4fetch@1.0.20");
  const { method, url, body, contentSha256 = EMPTY_SHA256 } = request;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new AwsV4Signer({
    method,
    url: url.href,
    headers: {
      ...request.headers,
      ...(service === "s3" ? { "x-amz-content-sha256": contentSha256 } : {}),
    },
    accessKeyId,
    secretAccessKey,
    service,
    region,
    datetime: new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(body === undefined ? {} : { body }),
  });
  return Object.fromEntries((await signer.sign()).headers);
}
