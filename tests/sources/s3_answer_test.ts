import assert from "node:assert/strict";
import { test } from "node:test";
import { readS3Error, readS3Page, S3PageError } from "../../lib/sources/s3_answer.ts";

const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

function page(content: string, namespace = NAMESPACE): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<ListBucketResult ${namespace}><Name>eggs</Name>${content}</ListBucketResult>`;
}

function object(key: string, more = "<Size>7</Size>"): string {
  return `<Contents><Key>${key}</Key>${more}</Contents>`;
}

const LAST = "<IsTruncated>false</IsTruncated>";

async function keys(text: string): Promise<string[]> {
  return (await readS3Page(text)).objects.map(({ key }) => key);
}

test("readS3Page() reads objects and the token of the next page", async () => {
  const text = page(
    `<KeyCount>1</KeyCount><IsTruncated>true</IsTruncated>` +
      `<NextContinuationToken>1/a+b==</NextContinuationToken>` +
      object(
        "a/hello-1.0.0.tgz",
        `<LastModified>2030-01-01T00:00:00.000Z</LastModified><ETag>&quot;0a-3&quot;</ETag>` +
          `<Size>193</Size><Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass>`,
      ) + `<CommonPrefixes><Prefix>a/b/</Prefix></CommonPrefixes>`,
  );
  assert.deepEqual(await readS3Page(text), {
    objects: [{
      key: "a/hello-1.0.0.tgz",
      sizeBytes: 193,
      etag: '"0a-3"',
      modifiedAt: "2030-01-01T00:00:00.000Z",
    }],
    nextToken: "1/a+b==",
  });
  assert.deepEqual(await readS3Page(page(LAST)), { objects: [], nextToken: null });
});

test("readS3Page() reads answers of any namespace", async () => {
  const bare = page(LAST + object("a"));
  const other = page(LAST + object("a"), 'xmlns="http://doc.s3.amazonaws.com/2006-03-01/"');
  const none = page(LAST + object("a"), "");
  const prefixed = `<s3:ListBucketResult xmlns:s3="urn:x">` +
    (LAST + object("a")).replace(/<(\/?)/g, "<$1s3:") + "</s3:ListBucketResult>";
  for (const text of [bare, other, none, prefixed]) assert.deepEqual(await keys(text), ["a"]);
});

test("readS3Page() passes over comments, instructions and unknown elements", async () => {
  const text = page(
    `<!-- c -->${LAST}<?pi x?><Other><Key>no</Key></Other>` +
      `<Contents><!-- c --><Key>a<!-- c --><![CDATA[<b>]]></Key><?pi?><Size>7</Size></Contents>`,
  );
  assert.deepEqual(await keys(text), ["a<b>"]);
});

test("readS3Page() decodes keys only when the answer says that they are encoded", async () => {
  const encoded = "<EncodingType>url</EncodingType>";
  const table: [written: string, encoded: string, plain: string][] = [
    ["a+b", "a b", "a+b"],
    ["a%20b", "a b", "a%20b"],
    ["a%2Bb", "a+b", "a%2Bb"],
    ["50%2525", "50%25", "50%2525"],
    ["%C3%BC", "ü", "%C3%BC"],
    ["a%01", "a\x01", "a%01"],
    ["a&amp;b", "a&b", "a&b"],
    ["a%2F%2Fb", "a//b", "a%2F%2Fb"],
  ];
  for (const [written, whenEncoded, whenPlain] of table) {
    assert.deepEqual(await keys(page(LAST + encoded + object(written))), [whenEncoded]);
    assert.deepEqual(await keys(page(LAST + object(written))), [whenPlain]);
  }
});

test("readS3Page() refuses what may hide newer eggs", async () => {
  const whole = page(LAST + object("a") + object("b"));
  const cut = [...Array(whole.length - 1).keys()].map((length) => whole.slice(0, length));
  const table: [text: string, found: RegExp][] = [
    ...cut.map((text): [string, RegExp] => [text, /no XML/]),
    [page("<IsTruncated>true</IsTruncated>" + object("a")), /without a token/],
    [
      page("<IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken>"),
      /without a token/,
    ],
    [page(object("a")), /no IsTruncated/],
    [page("<IsTruncated>perhaps</IsTruncated>"), /no IsTruncated/],
    [page(LAST + "<Contents><Size>7</Size></Contents>"), /without a key/],
    [page(LAST + object("a", "")), /no size of "a"/],
    [page(LAST + object("a", "<Size>-1</Size>")), /no size of "a"/],
    [page(LAST + object("a", "<Size>1e3</Size>")), /no size of "a"/],
    [page(LAST + "<EncodingType>url</EncodingType>" + object("%FF")), /not encoded as a URL/],
    ["<Error><Code>SlowDown</Code></Error>", /the element Error \(SlowDown\)/],
    ["<html><body>Sign in</body></html>", /the element html/],
    ["Sign in", /no XML/],
    ["{}", /no XML/],
    [`<!DOCTYPE a [<!ENTITY e "x">]>${page(LAST + object("&e;")).slice(39)}`, /no XML/],
  ];
  for (const [text, found] of table) {
    await assert.rejects(readS3Page(text), (error) => {
      assert.ok(error instanceof S3PageError, `${text}: ${error}`);
      assert.match(error.message, found);
      return true;
    });
  }
});

const bytes = (text: string) => new TextEncoder().encode(text);

test("readS3Error() finds the code and the region, wherever they are", async () => {
  const none = { code: null, region: null, host: null, requestId: null };
  const table: [headers: Record<string, string>, text: string, found: object][] = [
    [{}, "", none],
    [{}, "<html>Forbidden</html>", none],
    [{}, "<Error><Code>Access", none],
    [{ "x-amz-bucket-region": "eu-west-1" }, "", { ...none, region: "eu-west-1" }],
    [{ "x-amz-request-id": "R2" }, "", { ...none, requestId: "R2" }],
    [
      {},
      "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-north-1</Region></Error>",
      { ...none, code: "AuthorizationHeaderMalformed", region: "eu-north-1" },
    ],
    [
      {},
      "<Error><Code>PermanentRedirect</Code><Endpoint>eggs.s3.eu-west-1.amazonaws.com</Endpoint>" +
      "<RequestId>R1</RequestId></Error>",
      {
        ...none,
        code: "PermanentRedirect",
        host: "eggs.s3.eu-west-1.amazonaws.com",
        requestId: "R1",
      },
    ],
    // Nothing that could be taken for more than a word.
    [{}, "<Error><Code>a b\nAuthorization: x</Code></Error>", none],
  ];
  for (const [headers, text, found] of table) {
    assert.deepEqual(await readS3Error(new Headers(headers), bytes(text)), found);
  }
});
