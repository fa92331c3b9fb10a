/** The examples are those that the documentation of S3 publishes with their signatures. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { signedHeaders } from "../../lib/sources/aws_signature.ts";

const EXAMPLE = {
  credentials: {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  },
  service: "s3",
  region: "us-east-1",
  at: Date.UTC(2013, 4, 24),
} as const;

test("signedHeaders() signs as the published examples are signed", async () => {
  const table: [url: string, signature: string][] = [
    [
      "https://examplebucket.s3.amazonaws.com/?lifecycle",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ],
    [
      "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ],
  ];
  for (const [url, signature] of table) {
    const headers = await signedHeaders(
      { method: "GET", url: new URL(url), headers: {} },
      EXAMPLE,
    );
    assert.equal(headers["x-amz-date"], "20130524T000000Z");
    assert.equal(
      headers.authorization,
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
        `SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    );
  }
});

test("signedHeaders() covers the headers that it is given, and the token", async () => {
  const headers = await signedHeaders({
    method: "GET",
    url: new URL("https://eggs.example/a"),
    headers: { "x-amz-request-payer": "requester" },
  }, { ...EXAMPLE, credentials: { ...EXAMPLE.credentials, sessionToken: "TOKEN" } });
  assert.equal(headers["x-amz-security-token"], "TOKEN");
  assert.equal(headers["x-amz-request-payer"], "requester");
  assert.match(
    headers.authorization,
    /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-request-payer;x-amz-security-token,/,
  );
  assert.doesNotMatch(JSON.stringify(headers), /wJalrXUtnFEMI/);
});
