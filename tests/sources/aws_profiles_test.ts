import assert from "node:assert/strict";
import { test } from "node:test";
import { namedProfile, parseAwsFile, readAwsProfiles } from "../../lib/sources/aws_profiles.ts";
import { lookupOf } from "../fixtures/aws_surroundings.ts";
import { refusal } from "../fixtures/refusal.ts";

const plain = (text: string) =>
  Object.fromEntries([...parseAwsFile(text)].map(([name, profile]) => [name, { ...profile }]));

test("parseAwsFile() reads sections and settings as the AWS SDK does", () => {
  const table: [text: string, sections: Record<string, Record<string, string>>][] = [
    ["[default]\naws_access_key_id = AKID\n", { default: { aws_access_key_id: "AKID" } }],
    ["[default]\r\na=1\r\n\r\nb = 2\r\n", { default: { a: "1", b: "2" } }],
    ["\ufeff[default]\na=1", { default: { a: "1" } }],
    ["[profile ci]\na=1\n[profile ci.deploy]\na=2", {
      "profile ci": { a: "1" },
      "profile ci.deploy": { a: "2" },
    }],
    [`[profile "two words"]\na=1\n[ spaced ]\nb=2`, {
      "profile two words": { a: "1" },
      spaced: { b: "2" },
    }],
    ["# [no]\n; a=1\n[x] # yes\na = 1 # one\nb = 1;2#3\nc = a ; b", {
      x: { a: "1", b: "1;2#3", c: "a" },
    }],
    ["[x]\nkey = a/b+c==\nprogram = /bin/p --x=y", {
      x: { key: "a/b+c==", program: "/bin/p --x=y" },
    }],
    ["[x]\ns3 =\n  addressing_style = path\n  endpoint_url = http://h\nregion = r", {
      x: { "s3.addressing_style": "path", "s3.endpoint_url": "http://h", region: "r" },
    }],
    ["[services local]\ns3 =\n  endpoint_url = http://h", {
      "services local": { "s3.endpoint_url": "http://h" },
    }],
    ["[x]\na=1\n[y]\nb=2\n[x]\nc=3", { x: { a: "1", c: "3" }, y: { b: "2" } }],
    ["a=1\nnonsense\n[x\n=1\n[y]\n= 2\nz", { y: {} }],
    ["", {}],
  ];
  for (const [text, sections] of table) assert.deepEqual(plain(text), sections, text);
});

test("readAwsProfiles() puts the credentials file before the configuration", () => {
  const profiles = readAwsProfiles(lookupOf({
    files: {
      "/home/ada/.aws/credentials": "[ci]\naws_access_key_id=FROM_CREDENTIALS\n[other]\nx=1",
      "/home/ada/.aws/config":
        "[profile ci]\naws_access_key_id=FROM_CONFIG\nregion=eu-west-1\n[default]\nregion=r\n" +
        "[ci2]\nregion=no\n[profile default]\nregion=d",
    },
  }));
  assert.deepEqual(profiles.profile("ci"), {
    aws_access_key_id: "FROM_CREDENTIALS",
    region: "eu-west-1",
  });
  assert.deepEqual(profiles.profile("other"), { x: "1" });
  assert.deepEqual(profiles.profile("default"), { region: "d" });
  // A section of the configuration without the word is no profile.
  assert.equal(profiles.profile("ci2"), null);
  assert.equal(profiles.profile("constructor"), null);
});

test("readAwsProfiles() reads where the variables say, and does without what is not there", () => {
  const files = { "/a": "[default]\nx=1", "/b": "[default]\ny=2" };
  const env = { AWS_SHARED_CREDENTIALS_FILE: "/a", AWS_CONFIG_FILE: "/b" };
  assert.deepEqual(readAwsProfiles(lookupOf({ env, files })).profile("default"), {
    x: "1",
    y: "2",
  });
  assert.equal(readAwsProfiles(lookupOf()).profile("default"), null);
  assert.equal(readAwsProfiles(lookupOf({ env: { HOME: "" } })).profile("default"), null);
  const windows = { os: "win32", env: { HOME: "/no", USERPROFILE: "C:\\Users\\you" } };
  assert.match(readAwsProfiles(lookupOf(windows)).places, /C:\\Users\\you\/\.aws\/config/);
});

test("namedProfile() refuses a name that no file has", () => {
  const lookup = lookupOf();
  assert.throws(
    () => namedProfile(lookup, readAwsProfiles(lookup), "ci"),
    refusal(
      "option-invalid",
      "Cannot take credentials from the profile ci: there is none in",
      "/home/ada/.aws/credentials and /home/ada/.aws/config",
    ),
  );
});
