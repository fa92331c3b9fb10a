/** An ordinary client of a bucket, for what the product does not do: it only reads. */

import { AwsClient } from "npm:aws4fetch@1.0.20";
import type { S3Server } from "./s3_servers.ts";

/** What a server answered. */
export interface S3Answer {
  text: string;
  headers: Headers;
}

/** Asks a bucket; `path` is encoded, and empty for the bucket itself. */
export type AskBucket = (
  method: "PUT" | "POST" | "DELETE",
  path: string,
  body?: Uint8Array | string,
  headers?: Record<string, string>,
) => Promise<S3Answer>;

/** A client of the bucket `name`, which is made if it is not there yet. */
export async function bucketClient(server: S3Server, name: string): Promise<AskBucket> {
  const client = new AwsClient({
    ...server.keys,
    service: "s3",
    region: server.region,
    retries: 0,
  });
  const ask: AskBucket = async (method, path, body, headers = {}) => {
    const url = `${server.url}${name}${path}`;
    const response = await client.fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: body as BodyInit }),
    });
    const text = await response.text();
    const isThere = method === "PUT" && path === "" && response.status === 409;
    if (!response.ok && !isThere) {
      throw new Error(`${method} ${url} was answered ${response.status}: ${text}`);
    }
    return { text, headers: response.headers };
  };
  await ask("PUT", "");
  return ask;
}
