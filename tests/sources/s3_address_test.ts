import assert from "node:assert/strict";
import { test } from "node:test";
import { openSource, s3Source } from "../../lib/sources/open.ts";
import type { S3Options } from "../../lib/sources/s3_address.ts";
import { endpointUrl, isRegion, readS3Address } from "../../lib/sources/s3_address.ts";
import { refusal } from "../fixtures/refusal.ts";

test("readS3Address() reads bucket and prefix as they are written", () => {
  const table: [address: string, bucket: string, prefix: string][] = [
    ["s3://eggs", "eggs", ""],
    ["s3://eggs/", "eggs", ""],
    ["s3://eggs/stable", "eggs", "stable/"],
    ["s3://eggs/stable/", "eggs", "stable/"],
    ["s3://eggs/a/b/c", "eggs", "a/b/c/"],
    ["s3://eggs//a", "eggs", "/a/"],
    ["s3://eggs/a//", "eggs", "a//"],
    ["s3://eggs/a b+c%20ü", "eggs", "a b+c%20ü/"],
    ["s3://my.eggs/a", "my.eggs", "a/"],
    ["s3://Old_Eggs/a", "Old_Eggs", "a/"],
  ];
  for (const [address, bucket, prefix] of table) {
    const read = readS3Address(address);
    assert.deepEqual({ bucket: read.bucket, prefix: read.prefix }, { bucket, prefix }, address);
    assert.equal(read.id, `s3://${bucket}/${prefix}`);
  }
});

test("readS3Address() takes options from the address, and others first", () => {
  const { options, prefix } = readS3Address(
    "s3://eggs/a?region=eu-west-1&path-style=false&requester-pays=true&profile=ci&allow-http=true",
    { region: "us-west-2" },
  );
  assert.equal(prefix, "a/");
  assert.deepEqual(options, {
    region: "us-west-2",
    pathStyle: false,
    requesterPays: true,
    profile: "ci",
    allowHttp: true,
  });
  assert.deepEqual(readS3Address("s3://eggs?anonymous=true").options, {
    credentials: "anonymous",
  });
});

test("readS3Address() refuses what can be no folder in a bucket", () => {
  const table: [address: string, options: S3Options, ...found: string[]][] = [
    ["s3:", {}, "wanted an address"],
    ["s3://", {}, "wanted an address"],
    ["s3:///a", {}, "wanted an address"],
    ["s3:eggs", {}, "wanted an address"],
    ["s3://ab", {}, "wanted an address"],
    ["s3://a..b", {}, "wanted an address"],
    ["s3://-eggs", {}, "wanted an address"],
    ["s3://eggs:80/a", {}, "wanted an address"],
    ["s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/eggs", {}, "wanted an address"],
    ["s3://eggs--use1-az4--x-s3/a", {}, "a directory bucket of S3 Express"],
    ["s3://eggs/a/../b", {}, 'a segment "." or ".."'],
    ["s3://eggs/./b", {}, 'a segment "." or ".."'],
    ["s3://eggs/..", {}, 'a segment "." or ".."'],
    ["s3://eggs?colour=red", {}, 'the option "colour"', "region, endpoint"],
    ["s3://eggs?path-style=1", {}, '"1" for path-style'],
    ["s3://eggs?region=EU", {}, 'the region "EU"'],
    ["s3://eggs", { region: "x.evil.example/" }, "the region"],
    ["s3://eggs", { region: "a".repeat(41) }, "the region"],
    ["s3://eggs", { endpoint: "minio" }, "an endpoint that is no address"],
    ["s3://eggs", { endpoint: "ftp://minio" }, "an endpoint that is no address"],
    ["s3://eggs", { endpoint: "https://ada:pw@minio" }, "an endpoint that is no address"],
    ["s3://eggs", { endpoint: "https://minio/?x" }, "an endpoint that is no address"],
    ["s3://eggs", { endpoint: "http://minio:9000" }, "the unencrypted endpoint"],
  ];
  for (const [address, options, ...found] of table) {
    assert.throws(() => readS3Address(address, options), refusal("option-invalid", ...found));
  }
});

test("readS3Address() does not show credentials that it refuses", () => {
  for (const address of ["s3://AKID:secret@eggs/a", "s3://eggs?endpoint=https://a:secret@host/"]) {
    assert.throws(() => readS3Address(address), (error: Error) => {
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});

test("openSource() and s3Source() know a bucket by the id that its code has", () => {
  const table: [address: string, options: S3Options, id: string][] = [
    ["s3://eggs", {}, "s3://eggs/"],
    ["s3://eggs/a?region=eu-west-1", {}, "s3://eggs/a/"],
    ["s3://eggs/a", { region: "eu-west-1" }, "s3://eggs/a/"],
    [
      "s3://eggs/a/",
      { endpoint: "https://MinIO.example" },
      "s3://eggs/a/?endpoint=https://minio.example/",
    ],
    [
      "s3://eggs/a?endpoint=https%3A%2F%2Fminio.example%2Fx",
      {},
      "s3://eggs/a/?endpoint=https://minio.example/x/",
    ],
  ];
  for (const [address, options, id] of table) {
    assert.equal(readS3Address(address, options).id, id);
    assert.equal(s3Source(address, options).id, id);
  }
  assert.equal(openSource("s3://eggs/a").id, "s3://eggs/a/");
  assert.equal(openSource("s3://eggs").kind, "network");
});

test("isRegion() tells what may become part of a host's name", () => {
  for (const region of ["us-east-1", "auto", "ap-southeast-12", "nyc3", "cn-north-1"]) {
    assert.equal(isRegion(region), true, region);
  }
  for (const region of ["", "US", "a.b", "a/b", "-a", "a-", "a--b", "a b", "a@b", "ä"]) {
    assert.equal(isRegion(region), false, region);
  }
});

test("endpointUrl() takes plain HTTP on this machine, elsewhere only when allowed", () => {
  assert.equal(String(endpointUrl("http://127.0.0.1:9000")), "http://127.0.0.1:9000/");
  assert.equal(String(endpointUrl("http://localhost:9000/x")), "http://localhost:9000/x/");
  assert.match(String(endpointUrl("http://10.0.0.1:9000")), /unencrypted/);
  assert.equal(String(endpointUrl("http://10.0.0.1:9000", true)), "http://10.0.0.1:9000/");
});
