/** The parsers of what belongs to Python eggs: indexes, archives, metadata and its grammar. */

import { parsePythonFileName } from "../lib/model/python_file.ts";
import type { MarkerEnvironment } from "../lib/model/python.ts";
import { evaluateMarker } from "../lib/model/python_marker.ts";
import { readCoreMetadata, readRequiresText } from "../lib/model/python_metadata.ts";
import { parsePythonRequirement } from "../lib/model/python_requirement.ts";
import {
  comparePythonVersions,
  isPythonSpecifier,
  isPythonVersion,
  namesExactly,
  namesPrerelease,
  normalizePythonVersion,
  satisfiesSpecifier,
} from "../lib/model/python_version.ts";
import {
  PythonIndexError,
  readIndexHtml,
  readIndexJson,
  readKeptFiles,
  releasesOfIndex,
} from "../lib/sources/python_index.ts";
import { unpackPythonEgg } from "../lib/store/python_egg.ts";
import { egg, helloWheel, metadataOf, zipOf } from "../tests/fixtures/python_wheel.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { assertContained, decode, encode, LIMITS, promise, refusing } from "./fuzz_target.ts";

const INDEX = new URL("https://index.example/simple/foo/");
const ENVIRONMENT: MarkerEnvironment = {
  os_name: "posix",
  sys_platform: "linux",
  platform_machine: "x86_64",
  platform_python_implementation: "CPython",
  platform_release: "6.1",
  platform_system: "Linux",
  platform_version: "#1 SMP",
  python_version: "3.11",
  python_full_version: "3.11.7",
  implementation_name: "cpython",
  implementation_version: "3.11.7",
};
const FILE = {
  filename: "foo-1.0-py3-none-any.whl",
  url: "../../f/foo-1.0-py3-none-any.whl#sha256=ab",
  hashes: { sha256: "ab".repeat(32) },
  "core-metadata": { sha256: "ab".repeat(32) },
  "requires-python": ">=3.9",
  yanked: "broken",
  size: 9,
  "upload-time": "2030-01-01T00:00:00Z",
};

function isIndexError(error: unknown): boolean {
  return error instanceof PythonIndexError;
}

function indexTargets(): FuzzTarget[] {
  const files = [{ name: FILE.filename, url: "https://index.example/f", digests: [] }];
  return [
    {
      name: "Python index as JSON",
      seeds: [
        encode(JSON.stringify({ meta: { "api-version": "1.1" }, name: "foo", files: [FILE] })),
      ],
      run: (input) =>
        refusing(() => releasesOfIndex("foo", readIndexJson(decode(input), INDEX)), isIndexError),
    },
    {
      name: "Python index as a page",
      seeds: [
        encode(
          '<html><head><meta name="pypi:repository-version" content="1.0"><title>Links for foo</title>' +
            `</head><body><a href="${FILE.url}" data-yanked data-requires-python="&gt;=3.9">` +
            `${FILE.filename}</a></body></html>`,
        ),
        encode(`<base href="/x/"><a href="/f/${FILE.filename}">${FILE.filename}</a>`),
      ],
      run: (input) =>
        refusing(() => releasesOfIndex("foo", readIndexHtml(decode(input), INDEX)), isIndexError),
    },
    {
      name: "Python index as it was kept",
      seeds: [encode(JSON.stringify(files))],
      run: (input) => releasesOfIndex("foo", readKeptFiles(decode(input)) ?? []),
    },
    {
      name: "name of a Python file",
      seeds: [
        FILE.filename,
        "foo-bar-1.0.tar.gz",
        "foo-1.0-1-py2.py3-none-any.whl",
        "f-1-py3.9.egg",
      ]
        .map(encode),
      run(input) {
        const name = decode(input);
        for (const project of [undefined, "foo", "foo-bar"]) {
          const file = parsePythonFileName(name, project);
          promise(file === null || project === undefined || file.project === project, name);
        }
      },
    },
  ];
}

function eggTargets(): FuzzTarget[] {
  const kinds = {
    "wheel": helloWheel("1.0"),
    ".egg": egg({ name: "hello", version: "1.0", files: { "hello.py": "x = 1\n" } }),
    "source archive of Python": {
      name: "hello-1.0.zip",
      bytes: zipOf({
        "hello-1.0/PKG-INFO": metadataOf({ name: "hello", version: "1.0" }),
        "hello-1.0/pyproject.toml": '[build-system]\nrequires = ["flit_core"]\n',
        "hello-1.0/hello.py": "x = 1\n",
      }),
    },
  };
  return Object.entries(kinds).map(([name, { name: file, bytes }]) => ({
    name,
    seeds: [bytes],
    run: (input) =>
      refusing(async () => {
        const { entries } = await unpackPythonEgg(input, parsePythonFileName(file)!, LIMITS);
        assertContained(entries);
      }),
  }));
}

function grammarTargets(): FuzzTarget[] {
  const metadata = metadataOf({
    ...{ name: "Hello_World", version: "1.0", requiresPython: ">=3.9", extras: ["tls"] },
    requires: ['dep>=1,<2; extra == "tls"', "other"],
  });
  return [
    {
      name: "metadata of a Python egg",
      seeds: [encode(metadata)],
      run: (input) => refusing(() => readCoreMetadata(decode(input))),
    },
    {
      name: "requires.txt",
      seeds: [encode('one\ntwo>=1\n\n[tls:python_version<"3"]\nthree\n\n[x]\nfour\n')],
      run: (input) => refusing(() => readRequiresText(decode(input))),
    },
    {
      name: "Python requirement",
      seeds: [
        ...["foo[a,b]>=1.0,<2", 'foo ~=1.4 ; python_version < "3.12"', "foo (==1.*)"],
        "foo @ https://eggs.example/foo.whl ; os_name == 'posix'",
      ].map(encode),
      run: (input) => refusing(() => parsePythonRequirement(decode(input))),
    },
    {
      name: "marker",
      seeds: [
        'python_version >= "3.8" and (os_name == "posix" or extra == "tls")',
        "'linux' in sys_platform and platform_machine not in 'x86'",
      ].map(encode),
      run: (input) => refusing(() => evaluateMarker(decode(input), ENVIRONMENT, new Set(["tls"]))),
    },
    {
      name: "Python version and specifier",
      seeds: ["1.0 >=1.0,!=1.1.*", "1!2.0rc1.post2.dev3+local.7 ~=2.0", "v1 ===v1"].map(encode),
      run(input) {
        const [version, ...rest] = decode(input).split(" ");
        const specifier = rest.join(" ");
        isPythonSpecifier(specifier);
        namesPrerelease(specifier);
        namesExactly(version, specifier);
        satisfiesSpecifier(version, specifier, { prereleases: true });
        const order = comparePythonVersions(version, specifier);
        promise(
          Math.sign(order) === -Math.sign(comparePythonVersions(specifier, version)),
          version,
        );
        const normal = normalizePythonVersion(version);
        promise((normal !== null) === isPythonVersion(version), version);
        if (normal !== null) promise(comparePythonVersions(version, normal) === 0, version);
      },
    },
  ];
}

/** All of them. */
export function pythonTargets(): FuzzTarget[] {
  return [...indexTargets(), ...eggTargets(), ...grammarTargets()];
}
