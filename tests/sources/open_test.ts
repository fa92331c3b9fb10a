import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import { directorySource } from "../../lib/sources/directory.ts";
import { httpSource, openSource, registerSource } from "../../lib/sources/open.ts";

test("openSource() opens folders, file: URLs and registered schemes, and refuses others", () => {
  assert.equal(openSource("/dist").id, "/dist");
  assert.equal(openSource("file:///dist%20one").id, "/dist one");
  for (const address of ["npm:", "jsr:", "https://eggs.example/", "http://127.0.0.1/"]) {
    assert.equal(openSource(address).kind, "network", address);
  }
  registerSource("test+open", (address) => ({ ...directorySource("/dist"), id: address }));
  assert.equal(openSource("test+open:here").id, "test+open:here");
  assert.throws(
    () => registerSource("Not A Scheme", () => directorySource("/dist")),
    (error) => isTransmuteError(error, "option-invalid"),
  );
});

test("openSource() gives one source one id, without credentials", () => {
  const table: [id: string, addresses: string[]][] = [
    ["npm:", ["npm:", " npm: "]],
    ["npm+https://registry.example/", [
      "npm+https://Registry.example",
      "npm+https://registry.example/",
      "npm+https://user:secret@registry.example:443/",
    ]],
    ["jsr:", ["jsr:"]],
    ["jsr+https://registry.example/a/", ["jsr+https://registry.example/a"]],
    ["https://eggs.example/", [
      "https://eggs.example",
      "https://EGGS.example:443/",
      "https://user:secret@eggs.example",
      "  https://eggs.example/\n",
    ]],
    ["https://eggs.example/a/b/", ["https://eggs.example/a/b", "https://eggs.example/a/./b/"]],
    // Refused with the first question, and until then no secret is shown.
    ["https://eggs.example/c/", ["https://eggs.example/c?token=secret"]],
    ["https://eggs.example/links.html", ["https://eggs.example/links.html"]],
  ];
  for (const [id, addresses] of table) {
    for (const address of addresses) assert.equal(openSource(address).id, id, address);
  }
  assert.equal(httpSource("https://u:p@eggs.example/a").id, "https://eggs.example/a/");
});

test("openSource() takes no address with a slip in its scheme for a folder", () => {
  registerSource("test+slip", () => directorySource("/dist"));
  const table: [address: string, found: string, hint: RegExp][] = [
    ["gopher://hole", "gopher:", /registerSource\(\)/],
    ["htp://eggs.example/", "htp:", /registerSource\(\)/],
    ["HTTPS://eggs.example/", "HTTPS:", /^Write "https:"$/],
    ["Test+Slip://x", "Test+Slip:", /^Write "test\+slip:"$/],
    ["test+slip;//x", "test+slip;//", /^Write "test\+slip:"$/],
    ["test+slip//x", "test+slip//", /^Write "test\+slip:"$/],
    ["s3;//bucket", "s3;//", /^Write "s3:"$/],
    ["https.//eggs.example", "https.//", /^Write "https:"$/],
    ["https//eggs.example", "https//", /^Write "https:"$/],
    [" htp://eggs.example", "htp:", /registerSource/],
    ["eggs.example:8080/x", "eggs.example:", /registerSource/],
  ];
  for (const [address, found, hint] of table) {
    assert.throws(() => openSource(address), (error) => {
      assert.ok(isTransmuteError(error, "source-scheme-unknown"), address);
      assert.ok(error.message.includes(`found the scheme "${found}", wanted `), error.message);
      assert.match(error.hint!, hint);
      return true;
    });
  }
  const secret = "gopher://user:secret@hole";
  assert.throws(() => openSource(secret), (error: Error) => !error.message.includes("secret"));
});

test("openSource() takes paths for folders, however they are written", () => {
  for (
    const path of [
      ...["dist", "./dist", "../dist", "a/b", "a//b", "/a//b", "a.b/c", "~/eggs", "C:/eggs"],
      ...[
        "C:\\eggs",
        "\\\\server\\share",
        "./s3:x",
        "./s3;//x",
        "my eggs",
        "eggs;1/x",
        "//server/x",
      ],
    ]
  ) assert.equal(openSource(path).kind, "local", path);
});
