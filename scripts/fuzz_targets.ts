/**
 * Every parser of what others write: what it is given to begin with, and what it may do with
 * anything at all. It gives a value that keeps its promises, or it refuses in its own words; any
 * other error, and a promise that is not kept, is a finding.
 */

import { IndexError, readFolderIndex } from "../lib/sources/folder_index.ts";
import { HtmlListingError, readHtmlListing } from "../lib/sources/html_listing.ts";
import { listingOf, PackumentError, readPackument } from "../lib/sources/packument.ts";
import { isTransmuteError } from "../lib/errors.ts";
import { parseDependency } from "../lib/model/dependency.ts";
import { parseRequirement, parseSpecifier, requirementKey } from "../lib/model/requirement.ts";
import { parseSignedTarget } from "../lib/model/signed_target.ts";
import { compareVersions, isValidRange, satisfiesRange } from "../lib/model/version.ts";
import { packEntries } from "../lib/publisher/pack.ts";
import { readSyntax } from "../lib/store/module_references.ts";
import { exportsMap, resolveExports } from "../lib/store/package_exports.ts";
import { readTarMembers } from "../lib/store/tar_gate.ts";
import { readManifest, readTar, unpackTarball } from "../lib/store/unpack.ts";
import { readZipMembers } from "../lib/store/zip_gate.ts";
import { checkMetadata, MetadataRefused } from "../lib/trust/metadata_limits.ts";
import { verifyProvenance } from "../lib/trust/provenance.ts";
import { readRegistryKeys, verifyRegistrySignature } from "../lib/trust/registry_signature.ts";
import { SignedRepository } from "../lib/trust/tuf.ts";
import { configOf } from "../tests/fixtures/npm_surroundings.ts";
import { entry, tar } from "../tests/fixtures/raw_tar.ts";
import { descriptor, zip } from "../tests/fixtures/raw_zip.ts";
import { registryKey } from "../tests/fixtures/registry_key.ts";
import { SignedFolder } from "../tests/fixtures/signed_folder.ts";
import { NOW } from "../tests/fixtures/world.ts";
import { pythonTargets } from "./fuzz_python_targets.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { assertContained, decode, encode, LIMITS, promise, refusing } from "./fuzz_target.ts";

const MANIFEST = {
  name: "hello",
  version: "1.0.0",
  exports: { ".": { import: "./a.js", default: "./b.cjs" }, "./*": "./lib/*.js" },
  dependencies: { other: "^1.2", alias: "npm:@a/b@~2" },
};
const LONG = `package/${"folder/".repeat(20)}index.js`;
const IMAGINARY_REGISTRY = new URL("https://registry.example/");

async function archiveTargets(): Promise<FuzzTarget[]> {
  const { archive } = await packEntries(MANIFEST, { "a.js": "export {};", [LONG]: "1" });
  const plain = tar(
    entry("package/package.json", JSON.stringify(MANIFEST)),
    entry("package/lib/", "", { type: "5" }),
    entry("package/lib/a.js", "export {};"),
    entry("pax", "30 path=package/lib/another.js\n", { type: "x" }),
    entry("package/lib/b.js", "x"),
  );
  const packed = encode("hello ".repeat(10));
  const zips = [
    zip([{ name: "a/", mode: 0o40755 }, { name: "a/b", content: "text", method: 8 }]),
    zip([{ name: "a", content: packed }, { name: "b", method: 8, content: packed }], {
      end: { comment: "made by hand" },
    }),
    zip([{
      name: "a",
      content: packed,
      method: 8,
      local: { flags: 8, crc: 0, packedBytes: 0, unpackedBytes: 0 },
      after: descriptor(1, 2, 3),
    }]),
  ];
  return [
    {
      name: "tar gate",
      seeds: [plain],
      run: (input) => refusing(() => assertContained(readTarMembers(input, LIMITS))),
    },
    {
      name: "tar of an egg",
      seeds: [plain],
      run: (input) =>
        refusing(() => {
          const entries = readTar(input, LIMITS);
          assertContained(entries);
          readManifest(entries);
        }),
    },
    {
      name: "tarball",
      seeds: [archive],
      run: (input) => refusing(async () => assertContained(await unpackTarball(input, LIMITS))),
    },
    {
      name: "zip gate",
      seeds: zips,
      run: (input) =>
        refusing(async () => {
          const members = await readZipMembers(input, LIMITS);
          assertContained(members);
          const bytes = members.reduce((total, member) => total + member.bytes.length, 0);
          promise(bytes <= LIMITS.maxUnpackedBytes, `${bytes} bytes`);
        }),
    },
  ];
}

function listingTargets(): FuzzTarget[] {
  const packument = {
    name: "hello",
    "dist-tags": { latest: "1.0.0" },
    time: { "1.0.0": "2030-01-01T00:00:00.000Z" },
    versions: {
      "1.0.0": {
        ...MANIFEST,
        dist: {
          tarball: "https://registry.example/hello/-/hello-1.0.0.tgz",
          integrity: "sha512-abc",
          signatures: [{ keyid: "SHA256:x", sig: "y" }],
        },
      },
    },
  };
  const index = {
    transmuteIndex: 1,
    files: [{ name: "hello-1.0.0.tgz", sizeBytes: 9, sha256: "ab".repeat(32), manifest: MANIFEST }],
  };
  return [
    {
      name: "packument",
      seeds: [encode(JSON.stringify(packument))],
      run: (input) =>
        refusing(
          () => listingOf(readPackument(JSON.parse(decode(input)), "hello", IMAGINARY_REGISTRY)),
          (error) => error instanceof PackumentError || error instanceof SyntaxError,
        ),
    },
    {
      name: "index.json",
      seeds: [encode(JSON.stringify(index))],
      run: (input) =>
        refusing(() => readFolderIndex(decode(input)), (error) => error instanceof IndexError),
    },
    {
      name: "page of links",
      seeds: [
        encode(
          '<html><base href="/x/"><body><a href="hello-1.0.0.tgz#sha256=ab">hello</a> 9K</body></html>',
        ),
      ],
      run: (input) =>
        refusing(
          () => readHtmlListing(decode(input), new URL("https://eggs.example/")),
          (error) => error instanceof HtmlListingError,
        ),
    },
    {
      name: ".npmrc",
      seeds: [
        encode(
          "registry=https://registry.example/\n@a:registry=https://a.example\n" +
            "//registry.example/:_authToken=${TOKEN}\n; comment\nkey[]=x\n[section]\n",
        ),
      ],
      run: (input) => refusing(() => configOf(decode(input), { TOKEN: "secret" })),
    },
  ];
}

function grammarTargets(): FuzzTarget[] {
  return [
    {
      name: "requirement",
      seeds: ["hello", "hello@^1.2", "hello>=1.2,<2", "npm:@a/b@1.x || 2.x", "jsr:@a/b@next"].map(
        encode,
      ),
      run: (input) =>
        refusing(() => {
          const parsed = parseRequirement(decode(input));
          // What is written down of a requirement is read as the same again.
          const again = parseRequirement(requirementKey(parsed));
          promise(requirementKey(again) === requirementKey(parsed), requirementKey(parsed));
        }),
    },
    {
      name: "version and range",
      seeds: ["1.0.0 ^1.0.0", "1.0.0-rc.1+5 >=1 <2", "v1.2.3beta 1.x || 2 - 3"].map(encode),
      run(input) {
        const [version, ...range] = decode(input).split(" ");
        satisfiesRange(version, range.join(" "));
        isValidRange(range.join(" "));
        const order = compareVersions(version, range[0] ?? "");
        promise(Math.sign(order) === -Math.sign(compareVersions(range[0] ?? "", version)), version);
      },
    },
    {
      name: "dependency",
      seeds: ["other ^1", "alias npm:@a/b@~2", "a git+ssh://git@host/x", "a ../x"].map(encode),
      run(input) {
        const [name, ...spec] = decode(input).split(" ");
        return refusing(() => parseDependency(name, spec.join(" ")));
      },
    },
    {
      name: "specifier",
      seeds: ["hello", "@a/b/sub/file.js"].map(encode),
      run: (input) => refusing(() => parseSpecifier(decode(input))),
    },
    {
      name: "exports of a manifest",
      seeds: [encode(JSON.stringify(MANIFEST.exports))],
      run: (input) =>
        refusing(
          () => {
            const map = exportsMap(JSON.parse(decode(input)));
            if (map !== null) resolveExports(map, "./a", new Set(["import"]));
          },
          (error) => error instanceof SyntaxError || isTransmuteError(error),
        ),
    },
    {
      name: "module",
      seeds: [
        encode('import a from "b"; export * from "./c.js"; import("d"); const e = `${"f"}`;'),
      ],
      run: (input) => readSyntax(decode(input)),
    },
  ];
}

async function trustTargets(): Promise<FuzzTarget[]> {
  const folder = await SignedFolder.create();
  const { path, target } = await folder.add({ name: "hello", version: "1.0.0" }, {
    rollout: { percent: 10, startsAt: "2030-01-01T00:00:00Z" },
    unpacked: { sizeBytes: 9, digest: `sha256:${"ab".repeat(32)}` },
  });
  await folder.publish();
  const key = registryKey();
  const record = { signed: "hello@1.0.0:sha512-abc" };
  const provenance = JSON.parse(Deno.readTextFileSync("tests/fixtures/provenance.json"));
  // Those that a client reads, not the ones before them.
  const metadata = ["1.root", "timestamp", "2.snapshot", "2.targets", "1.js-hello"]
    .map((name) => [`metadata/${name}.json`, folder.files.get(`metadata/${name}.json`)!] as const);
  return [
    {
      name: "metadata before it is verified",
      seeds: metadata.map(([, bytes]) => bytes),
      run: (input) =>
        refusing(
          () => checkMetadata("js-hello", input, ["ed25519"]),
          (error) => error instanceof MetadataRefused,
        ),
    },
    ...metadata.map(([name, bytes]): FuzzTarget => ({
      name: `repository: ${name.slice("metadata/".length)}`,
      seeds: [bytes],
      async run(input) {
        const changed = !isSameJson(input, bytes);
        let accepted = false;
        await refusing(async () => {
          const repository = new SignedRepository({
            source: "memory:",
            root: name.endsWith("root.json") ? input : folder.files.get("metadata/1.root.json")!,
            kept: { read: () => null, write() {} },
            bring: (file) =>
              Promise.resolve(
                `metadata/${file}` === name ? input : folder.files.get(`metadata/${file}`) ?? null,
              ),
            now: NOW,
          });
          await repository.project("js", "hello");
          accepted = true;
        });
        // Signed or not, only the very bytes that others vouch for are taken.
        const isVouchedFor = !/root|timestamp/.test(name);
        promise(!accepted || !changed || !isVouchedFor, "changed metadata was taken");
      },
    })),
    {
      name: "signed target",
      seeds: [encode(JSON.stringify(target))],
      run: (input) =>
        refusing(
          () => parseSignedTarget(path, JSON.parse(decode(input))),
          (error) => isTransmuteError(error) || error instanceof SyntaxError,
        ),
    },
    {
      name: "keys of a registry",
      seeds: [encode(JSON.stringify({ keys: [key.listed] }))],
      run: (input) => refusing(() => readRegistryKeys(decode(input), "npm:")),
    },
    {
      name: "signature of a registry",
      seeds: [encode(key.sign(record.signed).sig)],
      run: (input) =>
        refusing(() =>
          verifyRegistrySignature(
            { ...record, signatures: [{ keyid: key.keyid, sig: decode(input) }] },
            readRegistryKeys(JSON.stringify({ keys: [key.listed] }), "npm:"),
            { egg: "hello@1.0.0", source: "npm:" },
          )
        ),
    },
    {
      name: "provenance",
      seeds: [encode(JSON.stringify({ attestations: [provenance.good] }))],
      run: (input) =>
        refusing(() =>
          verifyProvenance({
            attestations: input,
            name: "hello@1.0.0",
            digests: [`sha512:${provenance.sha512}`],
            publisher: null,
            trustRoot: provenance.trustRoot,
            about: { egg: "hello@1.0.0", source: "npm:" },
          })
        ),
    },
  ];
}

function isSameJson(one: Uint8Array, other: Uint8Array): boolean {
  return decode(one) === decode(other);
}

/** All of them. */
export async function fuzzTargets(): Promise<FuzzTarget[]> {
  return [
    ...await archiveTargets(),
    ...listingTargets(),
    ...grammarTargets(),
    ...pythonTargets(),
    ...await trustTargets(),
  ];
}
