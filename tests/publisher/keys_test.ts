import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { test } from "node:test";
import { generateKeyFile, isEncrypted, readKeyFile } from "../../lib/publisher/key_file.ts";
import { openKeys, signatureOf } from "../../lib/publisher/keys.ts";
import {
  bytesOfHex,
  hexOf,
  isSignedBy,
  pem,
  publicKeyOf,
  publicKeyText,
  readPublicKey,
} from "../../lib/publisher/public_key.ts";
import { refusal } from "../fixtures/refusal.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const PASSPHRASE = "correct horse battery staple";
const asked = (passphrase = PASSPHRASE) => ({ passphrase: () => Promise.resolve(passphrase) });
const unasked = {
  passphrase: (name: string): Promise<string> => Promise.reject(new Error(`asked for ${name}`)),
};
const MESSAGE = new TextEncoder().encode("what is to be signed");

/** RFC 8032, "Test Vectors for Ed25519": secret key, public key, message, signature. */
const VECTORS: [secret: string, open: string, message: string, signature: string][] = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
];

/** The PKCS#8 of a secret key, as RFC 8410 has it. */
function pkcs8(secret: string): string {
  return pem("PRIVATE KEY", bytesOfHex(`302e020100300506032b657004220420${secret}`)!);
}

for (const [secret, open, message, signature] of VECTORS) {
  test(`readKeyFile() signs as RFC 8032 has it for the message "${message}"`, async () => {
    const key = await readKeyFile(pkcs8(secret), "vector", unasked.passphrase.bind(null, "vector"));
    assert.equal(hexOf(key.publicBytes), open);
    const bytes = bytesOfHex(message)!;
    assert.equal(hexOf(key.sign(bytes)), signature);
    const { key: tufKey } = await publicKeyOf(key.publicBytes);
    assert.ok(await isSignedBy(tufKey, signature, bytes));
    assert.ok(!await isSignedBy(tufKey, signature, MESSAGE));
  });
}

test("publicKeyOf() names a key by the SHA-256 of its canonical JSON", async () => {
  const { id } = await publicKeyOf(bytesOfHex(VECTORS[0][1])!);
  const canonical = `{"keytype":"ed25519","keyval":{"public":"${
    VECTORS[0][1]
  }"},"scheme":"ed25519"}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical));
  assert.equal(id, hexOf(new Uint8Array(digest)));
});

test("generateKeyFile() makes a file that its passphrase opens, and no other", async () => {
  const { text, key } = await generateKeyFile(PASSPHRASE);
  assert.ok(isEncrypted(text));
  const opened = await readKeyFile(text, "a.pem", asked().passphrase);
  assert.deepEqual(opened.publicBytes, key.publicBytes);
  for (const wrong of ["correct horse", ""]) {
    await assert.rejects(
      readKeyFile(text, "a.pem", asked(wrong).passphrase),
      refusal("key-invalid", "a.pem", "the passphrase does not fit"),
    );
  }
});

test("readKeyFile() asks again for a passphrase that was mistyped, three times in all", async () => {
  const { text, key } = await generateKeyFile(PASSPHRASE);
  const typed = async (...answers: string[]) => {
    const asked: boolean[] = [];
    const passphrase = (again: boolean) => Promise.resolve(answers[asked.push(again) - 1]);
    return { opened: await readKeyFile(text, "a.pem", passphrase).catch(() => null), asked };
  };
  const mended = await typed("one", "other", PASSPHRASE);
  assert.deepEqual(mended.opened?.publicBytes, key.publicBytes);
  assert.deepEqual(mended.asked, [false, true, true]);
  assert.deepEqual(await typed("one", "other", "third", PASSPHRASE), {
    opened: null,
    asked: [false, true, true],
  });
  // A variable says the same each time.
  assert.deepEqual(await typed("one", "one", PASSPHRASE), { opened: null, asked: [false, true] });
});

test("generateKeyFile() makes another key each time, and an open file without a passphrase", async () => {
  const [one, other] = [await generateKeyFile(null), await generateKeyFile(null)];
  assert.ok(!isEncrypted(one.text));
  assert.notDeepEqual(one.key.publicBytes, other.key.publicBytes);
  const opened = await readKeyFile(one.text, "a.pem", () => unasked.passphrase("a.pem"));
  assert.deepEqual(opened.publicBytes, one.key.publicBytes);
});

test("key files are OpenSSL's, in both directions", async (context) => {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { encoding: "utf8" });
  try {
    openssl("version");
  } catch {
    return context.skip("there is no openssl on this machine");
  }
  using folder = temporaryFolder();
  const [ours, theirs] = ["ours.pem", "theirs.pem"].map((name) => join(folder.path, name));
  const { text, key } = await generateKeyFile(PASSPHRASE);
  writeFileSync(ours, text);
  const open = openssl("pkey", "-in", ours, "-passin", `pass:${PASSPHRASE}`, "-pubout");
  assert.equal(open, publicKeyText(await publicKeyOf(key.publicBytes)));

  openssl(
    ...["genpkey", "-algorithm", "ed25519", "-aes-256-cbc"],
    ...["-pass", `pass:${PASSPHRASE}`],
    "-out",
    theirs,
  );
  const [opened] = await openKeys([theirs], asked());
  assert.ok(await opened.sign(MESSAGE));
});

test("readKeyFile() refuses keys for another algorithm, and what is no key", async () => {
  const { subtle } = crypto;
  const { privateKey } = await subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign"],
  );
  const text = pem("PRIVATE KEY", new Uint8Array(await subtle.exportKey("pkcs8", privateKey)));
  const read = (text: string) => readKeyFile(text, "a.pem", () => unasked.passphrase("a.pem"));
  await assert.rejects(read(text), refusal("key-invalid", "wanted one for ed25519"));
  await assert.rejects(read("hello"), refusal("key-invalid", "no private key between"));
});

test("readPublicKey() reads what publicKeyText() writes, and no other kind", async () => {
  const key = await publicKeyOf(bytesOfHex(VECTORS[0][1])!);
  assert.deepEqual(await readPublicKey(publicKeyText(key), "a.pub"), key);
  for (const text of ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]) {
    await assert.rejects(readPublicKey(text, "a.pub"), refusal("key-invalid", "a.pub"));
  }
});

/** A folder with the files of one key. */
async function keyFolder(passphrase: string | null = PASSPHRASE) {
  const folder = temporaryFolder();
  const { text, key } = await generateKeyFile(passphrase);
  const open = await publicKeyOf(key.publicBytes);
  writeFileSync(join(folder.path, "a.pem"), text);
  writeFileSync(join(folder.path, "a.pub"), publicKeyText(open));
  return { path: folder.path, text, open, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test("openKeys() asks for a passphrase only when its key is to sign, and once", async () => {
  using folder = await keyFolder();
  const names: string[] = [];
  const [key] = await openKeys([folder.path], {
    passphrase: (name) => Promise.resolve((names.push(name), PASSPHRASE)),
  });
  assert.deepEqual([key.public, names], [folder.open, []]);
  await key.sign(MESSAGE);
  const signature = await key.sign(MESSAGE);
  assert.deepEqual(names, [join(folder.path, "a.pem")]);
  assert.ok(await isSignedBy(key.public.key, signature, MESSAGE));
});

test("openKeys() takes a key from a variable, as a file's text or as base64", async () => {
  using folder = await keyFolder(null);
  const base64 = folder.text.replace(/-----.*-----|\n/g, "");
  try {
    for (const content of [folder.text, base64, btoa(folder.text)]) {
      env.TRANSMUTE_TEST_KEY = content;
      const [key] = await openKeys(["env:TRANSMUTE_TEST_KEY"], unasked);
      assert.deepEqual(key.public, folder.open);
    }
    env.TRANSMUTE_TEST_KEY = "";
    await assert.rejects(
      openKeys(["env:TRANSMUTE_TEST_KEY"], unasked),
      refusal("key-missing", "the variable is not set"),
    );
  } finally {
    delete env.TRANSMUTE_TEST_KEY;
  }
});

/** A program that signs with OpenSSL, as one for a hardware key would. */
function signer(folder: string, ending: string): string {
  const path = join(folder, "sign.sh");
  writeFileSync(
    path,
    `#!/bin/sh\ncat > "$1.message"\n` +
      `openssl pkeyutl -sign -rawin -inkey "$1" -in "$1.message" | ${ending}\n`,
  );
  chmodSync(path, 0o755);
  return `command:${join(folder, "a.pub")} ${path} '${join(folder, "a.pem")}'`;
}

for (const ending of ["base64", "od -An -v -tx1 | tr -d ' \\n'"]) {
  test(`openKeys() lets a command sign that writes ${ending}`, async () => {
    using folder = await keyFolder(null);
    const [key] = await openKeys([signer(folder.path, ending)], unasked);
    assert.deepEqual(key.public, folder.open);
    const { keyid, sig } = await signatureOf(key, { b: 1, a: "x" });
    assert.equal(keyid, folder.open.id);
    const bytes = new TextEncoder().encode('{"a":"x","b":1}');
    assert.ok(await isSignedBy(key.public.key, sig, bytes));
  });
}

test("openKeys() refuses a command that fails, is not there, or signs with another key", async () => {
  using folder = await keyFolder(null);
  using other = await keyFolder(null);
  const cases: [command: string, words: string][] = [
    ["false", "ended with code 1"],
    ["echo hello", "wrote 5 characters"],
    ["/nowhere/at/all secret", "cannot be started"],
    [signer(other.path, "base64").split(" ").slice(1).join(" "), "not by the public key"],
  ];
  for (const [command, words] of cases) {
    const [key] = await openKeys([`command:${join(folder.path, "a.pub")} ${command}`], unasked);
    await assert.rejects(key.sign(MESSAGE), (error) => {
      assert.ok(!String(error).includes("secret"));
      return refusal("key-invalid", words)(error);
    });
  }
  await assert.rejects(openKeys(["command:a.pub"], unasked), refusal("key-invalid", "a program"));
  await assert.rejects(
    openKeys(["command:/nowhere/a.pub program"], unasked),
    refusal("key-missing", "no file /nowhere/a.pub"),
  );
});

test("openKeys() refuses a file beside which lies the public key of another", async () => {
  using folder = await keyFolder(null);
  using other = await keyFolder(null);
  writeFileSync(join(folder.path, "a.pub"), publicKeyText(other.open));
  const [key] = await openKeys([join(folder.path, "a.pem")], unasked);
  await assert.rejects(key.sign(MESSAGE), refusal("key-invalid", "not by the public key"));
});

test("openKeys() says so when there is nothing", async () => {
  await assert.rejects(
    openKeys(["/nowhere/keys"], unasked),
    refusal("key-missing", "/nowhere/keys"),
  );
});
