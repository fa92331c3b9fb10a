import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import type { HttpSourceOptions } from "../../lib/sources/http_address.ts";
import { readHttpAddress, TOKENS_VARIABLE } from "../../lib/sources/http_address.ts";

function read(address: string, options: HttpSourceOptions = {}, tokens?: string) {
  return readHttpAddress(address, options, (name) => name === TOKENS_VARIABLE ? tokens : undefined);
}

const basic = (text: string) => `Basic ${btoa(text)}`;

test("readHttpAddress() reads addresses of folders and of pages", () => {
  const table: [address: string, id: string][] = [
    ["https://eggs.example", "https://eggs.example/"],
    ["https://EGGS.example:443/a/../b", "https://eggs.example/b/"],
    ["https://eggs.example/b/", "https://eggs.example/b/"],
    ["https://eggs.example/v1.0", "https://eggs.example/v1.0/"],
    ["https://eggs.example/links.html", "https://eggs.example/links.html"],
    ["http://127.0.0.1:8080/eggs", "http://127.0.0.1:8080/eggs/"],
    ["http://localhost/", "http://localhost/"],
    ["http://[::1]/", "http://[::1]/"],
    ["https://ada:secret@eggs.example/", "https://eggs.example/"],
  ];
  for (const [address, id] of table) {
    assert.equal(read(address).id, id, address);
    assert.equal(read(address).url.href, id, address);
  }
  assert.equal(read("http://10.0.0.1/", { allowHttp: true }).id, "http://10.0.0.1/");
});

test("readHttpAddress() refuses what is no folder, or would be asked in the open", () => {
  const table: [address: string, found: RegExp][] = [
    ["https://", /wanted an address such as/],
    ["https:eggs.example", /wanted an address such as/],
    ["https:/eggs.example", /wanted an address such as/],
    ["https://eggs.example/?secret", /without "\?" and "#"/],
    ["https://ada:s@secret@", /wanted an address such as/],
    ["https://eggs.example/#x", /without "\?" and "#"/],
    ["ftp://eggs.example/", /wanted an address such as/],
    ["http://eggs.example/", /unencrypted address, wanted "https:"/],
    ["http://10.0.0.1/", /unencrypted/],
    ["http://ada:secret@eggs.example/", /unencrypted/],
  ];
  for (const [address, found] of table) {
    assert.throws(() => read(address), (error) => {
      assert.ok(isTransmuteError(error, "option-invalid"), address);
      assert.match(error.message, found);
      assert.ok(!error.message.includes("secret"));
      return true;
    });
  }
});

test("readHttpAddress() takes credentials from options, the address, or the variable by host", async () => {
  const tokens = "abc@eggs.example; ada:s:ecret@eggs.example:8443 ;@;x@;d@f@other.example";
  const table: [address: string, options: HttpSourceOptions, value: string | undefined][] = [
    ["https://eggs.example/", {}, "Bearer abc"],
    ["https://Eggs.Example:443/a", {}, "Bearer abc"],
    ["https://eggs.example:8443/", {}, basic("ada:s:ecret")],
    ["https://other.example/", {}, "Bearer d@f"],
    ["https://third.example/", {}, undefined],
    ["https://sub.eggs.example/", {}, undefined],
    ["https://bob:p%40ss@eggs.example/", {}, basic("bob:p@ss")],
    ["https://bob:pass@eggs.example/", { authorization: "Token 1" }, "Token 1"],
    ["https://eggs.example/", { authorization: () => "Token 2" }, "Token 2"],
    ["https://eggs.example/", { authorization: () => Promise.resolve("Token 3") }, "Token 3"],
  ];
  for (const [address, options, value] of table) {
    const { headersFor, url } = read(address, options, tokens);
    assert.equal((await headersFor(url)).authorization, value, address);
  }
});

test("readHttpAddress() gives its headers to its own origin only", async () => {
  const options = { authorization: "Bearer secret", headers: { "x-api-key": "key" } };
  const { headersFor } = read("https://eggs.example/a/", options);
  const own = { "authorization": "Bearer secret", "x-api-key": "key" };
  assert.deepEqual(await headersFor(new URL("https://eggs.example/b/c.tgz")), own);
  for (
    const url of [
      "http://eggs.example/a/",
      "https://eggs.example:8443/a/",
      "https://www.eggs.example/a/",
      "https://eggs.example.evil.example/a/",
    ]
  ) assert.deepEqual(await headersFor(new URL(url)), {}, url);
});

test("readHttpAddress() asks for an authorization again, for it may expire", async () => {
  let asked = 0;
  const { headersFor, url } = read("https://eggs.example/", {
    authorization: () => `t ${++asked}`,
  });
  assert.deepEqual(await headersFor(url), { authorization: "t 1" });
  assert.deepEqual(await headersFor(url), { authorization: "t 2" });
});

test("readHttpAddress() shows no value of a header that cannot be sent", async () => {
  const denied = (error: unknown) => {
    assert.ok(isTransmuteError(error, "option-invalid"));
    assert.match(error.message, /the header ".*" cannot be sent/s);
    assert.ok(!error.message.includes("secret"), error.message);
    return true;
  };
  for (const value of ["secret\n", "secret\0", "secret\u20ac"]) {
    assert.throws(() => read("https://eggs.example/", { headers: { "x-key": value } }), denied);
    const { headersFor, url } = read("https://eggs.example/", { authorization: value });
    await assert.rejects(headersFor(url), denied);
  }
  assert.throws(() => read("https://eggs.example/", { headers: { "a b": "secret" } }), denied);
});

test("readHttpAddress() advises who is denied", () => {
  const { deniedHint } = read("https://eggs.example/");
  assert.match(deniedHint(), /^Set TRANSMUTE_AUTH_TOKENS=<token>@eggs\.example, or give/);
  assert.match(read("https://eggs.example/", {}, "a@eggs.example").deniedHint(), /^Renew/);
});
