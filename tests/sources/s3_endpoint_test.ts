import assert from "node:assert/strict";
import { test } from "node:test";
import {
  firstRegion,
  keyOfLocator,
  objectLocator,
  placeOf,
  regionOfHost,
  s3Url,
} from "../../lib/sources/s3_endpoint.ts";

const at = (endpoint: string | null) => endpoint === null ? null : new URL(endpoint);

test("s3Url() addresses buckets as their service and their name want it", () => {
  const table: [bucket: string, endpoint: string | null, region: string, url: string][] = [
    ["eggs", null, "eu-west-1", "https://eggs.s3.eu-west-1.amazonaws.com/a/b.tgz"],
    ["eggs", null, "cn-north-1", "https://eggs.s3.cn-north-1.amazonaws.com.cn/a/b.tgz"],
    // Under no wildcard's certificate, and in no host's name.
    ["my.eggs", null, "eu-west-1", "https://s3.eu-west-1.amazonaws.com/my.eggs/a/b.tgz"],
    ["My_Eggs", null, "us-east-1", "https://s3.us-east-1.amazonaws.com/My_Eggs/a/b.tgz"],
    [
      "eggs",
      "https://s3.eu-west-1.amazonaws.com/",
      "eu-west-1",
      "https://eggs.s3.eu-west-1.amazonaws.com/a/b.tgz",
    ],
    ["eggs", "http://127.0.0.1:9000/", "us-east-1", "http://127.0.0.1:9000/eggs/a/b.tgz"],
    ["eggs", "https://host/storage/", "us-east-1", "https://host/storage/eggs/a/b.tgz"],
    [
      "eggs",
      "https://0a.r2.cloudflarestorage.com/",
      "auto",
      "https://0a.r2.cloudflarestorage.com/eggs/a/b.tgz",
    ],
    [
      "eggs",
      "https://storage.googleapis.com/",
      "auto",
      "https://storage.googleapis.com/eggs/a/b.tgz",
    ],
    [
      "eggs",
      "https://s3.us-west-004.backblazeb2.com/",
      "us-west-004",
      "https://s3.us-west-004.backblazeb2.com/eggs/a/b.tgz",
    ],
    ["eggs", "https://s3.wasabisys.com/", "us-east-1", "https://s3.wasabisys.com/eggs/a/b.tgz"],
  ];
  for (const [bucket, endpoint, region, url] of table) {
    assert.equal(s3Url(placeOf(bucket, at(endpoint)), region, "a/b.tgz").href, url);
  }
});

test("s3Url() lets the user choose the style, where the names allow it", () => {
  const url = (bucket: string, endpoint: string | null, pathStyle: boolean) =>
    s3Url(placeOf(bucket, at(endpoint), pathStyle), "eu-west-1", "a").href;
  assert.equal(url("eggs", null, true), "https://s3.eu-west-1.amazonaws.com/eggs/a");
  assert.equal(url("eggs", "https://minio:9000/x/", false), "https://eggs.minio:9000/x/a");
  assert.equal(url("my.eggs", "https://minio/", false), "https://my.eggs.minio/a");
  assert.equal(url("My_Eggs", "https://minio/", false), "https://minio/My_Eggs/a");
  assert.equal(url("eggs", "http://127.0.0.1/", false), "http://127.0.0.1/eggs/a");
  assert.equal(url("eggs", "http://[::1]/", false), "http://[::1]/eggs/a");
});

test("s3Url() asks the bucket itself without a slash after its name", () => {
  const query = { "prefix": "a b/+ü", "list-type": "2" };
  const encoded = "list-type=2&prefix=a%20b%2F%2B%C3%BC";
  const minio = placeOf("eggs", at("https://minio/"));
  assert.equal(s3Url(minio, "us-east-1", "", query).href, `https://minio/eggs?${encoded}`);
  const aws = s3Url(placeOf("eggs", null), "us-east-1", "", query).href;
  assert.equal(aws, `https://eggs.s3.us-east-1.amazonaws.com/?${encoded}`);
});

test("objectLocator() and keyOfLocator() keep every key as it is", () => {
  const table: [key: string, locator: string][] = [
    ["hello-1.0.0.tgz", "s3://eggs/hello-1.0.0.tgz"],
    ["a/hello 1.tgz", "s3://eggs/a/hello%201.tgz"],
    ["a+b%2B.tgz", "s3://eggs/a%2Bb%252B.tgz"],
    ["ü/é.tgz", "s3://eggs/%C3%BC/%C3%A9.tgz"],
    ["a//b", "s3://eggs/a//b"],
    ["/a", "s3://eggs//a"],
    ["!'()*?#", "s3://eggs/%21%27%28%29%2A%3F%23"],
  ];
  for (const [key, locator] of table) {
    assert.equal(objectLocator("eggs", key), locator);
    assert.equal(new URL(locator).href, locator);
    assert.equal(keyOfLocator(locator), key);
    const path = locator.slice("s3://eggs".length);
    assert.equal(s3Url(placeOf("eggs", at("https://minio/")), "x", key).pathname, `/eggs${path}`);
  }
});

test("firstRegion() reads the region of an endpoint that names one", () => {
  const table: [endpoint: string | null, region: string][] = [
    [null, "us-east-1"],
    ["http://127.0.0.1:9000/", "us-east-1"],
    ["https://s3.ap-south-1.amazonaws.com/", "ap-south-1"],
    ["https://s3.dualstack.ap-south-1.amazonaws.com/", "ap-south-1"],
    ["https://s3.amazonaws.com/", "us-east-1"],
    ["https://s3-accelerate.amazonaws.com/", "us-east-1"],
    ["https://bucket.vpce-1a.s3.eu-west-1.vpce.amazonaws.com/", "eu-west-1"],
    ["https://0a.r2.cloudflarestorage.com/", "auto"],
    ["https://storage.googleapis.com/", "auto"],
    ["https://s3.us-west-004.backblazeb2.com/", "us-west-004"],
    ["https://s3.eu-central-1.wasabisys.com/", "eu-central-1"],
    ["https://s3.wasabisys.com/", "us-east-1"],
    ["https://s3.eu-west-1.amazonaws.com.evil.example/", "us-east-1"],
  ];
  for (const [endpoint, region] of table) {
    assert.equal(firstRegion(placeOf("eggs", at(endpoint))), region, String(endpoint));
  }
});

test("placeOf() asks no service for checksums that refuses unknown headers", () => {
  const asks = (endpoint: string | null) => placeOf("eggs", at(endpoint)).service.checksums;
  assert.equal(asks(null), true);
  assert.equal(asks("http://127.0.0.1:9000/"), true);
  assert.equal(asks("https://0a.r2.cloudflarestorage.com/"), false);
  assert.equal(asks("https://storage.googleapis.com/"), false);
});

test("regionOfHost() believes hosts of AWS alone", () => {
  assert.equal(regionOfHost("eggs.s3.eu-west-1.amazonaws.com"), "eu-west-1");
  assert.equal(regionOfHost("eggs.s3-us-west-2.amazonaws.com"), "us-west-2");
  assert.equal(regionOfHost("eggs.s3.cn-north-1.amazonaws.com.cn"), "cn-north-1");
  assert.equal(regionOfHost("eggs.s3.eu-west-1.evil.example"), null);
  assert.equal(regionOfHost("s3.eu-west-1.amazonaws.com.evil.example"), null);
  assert.equal(regionOfHost(""), null);
});
