import assert from "node:assert/strict";
import { test } from "node:test";
import type { MarkerEnvironment, PythonManifest } from "../../lib/model/python.ts";
import { parsePythonRequirement } from "../../lib/model/python_requirement.ts";
import { comparePythonVersions, satisfiesSpecifier } from "../../lib/model/python_version.ts";
import { resolvePython } from "../../lib/updater/python_resolver.ts";
import { refusal } from "../fixtures/refusal.ts";

/** By project and version: what each release requires. */
type Index = Record<string, Record<string, string[]>>;

const ENVIRONMENT = { python_version: "3.11", sys_platform: "linux" } as MarkerEnvironment;

interface Asked {
  /** `project@version` of every metadata that was asked for, in order. */
  manifests: string[];
}

async function resolve(
  roots: string[],
  index: Index,
  { present = {}, unusable = [] }: { present?: Record<string, string>; unusable?: string[] } = {},
): Promise<{ found: Record<string, string>; asked: Asked }> {
  const asked: Asked = { manifests: [] };
  const resolved = await resolvePython(roots.map(parsePythonRequirement), {
    environment: ENVIRONMENT,
    present: (project) => project in present ? { version: present[project] } : null,
    candidates: (project, specifiers) =>
      Promise.resolve(
        Object.keys(index[project] ?? {})
          .filter((version) => specifiers.every((one) => satisfiesSpecifier(version, one)))
          .sort((one, other) => comparePythonVersions(other, one))
          .map((version) => ({ version })),
      ),
    manifest(project, { version }): Promise<PythonManifest | null> {
      const name = `${project}@${version}`;
      asked.manifests.push(name);
      const requires = index[project][version];
      return Promise.resolve(
        unusable.includes(name) ? null : { name: project, version, requires, extras: [] },
      );
    },
    foresee() {},
  });
  const found = Object.fromEntries(
    Array.from(resolved, ([project, { choice }]) => [project, choice.version]),
  );
  return { found, asked };
}

const CASES: [
  what: string,
  roots: string[],
  index: Index,
  found: Record<string, string>,
  options?: Parameters<typeof resolve>[2],
][] = [
  ["nothing", [], {}, {}],
  ["the newest of everything", ["a"], {
    a: { "1": [], "2": ["b>=1"] },
    b: { "1": [], "1.5": [] },
  }, { a: "2", b: "1.5" }],
  ["what several ranges leave", ["a", "b<2"], {
    a: { "1": ["b>=1"] },
    b: { "1": [], "1.9": [], "2": [] },
  }, { a: "1", b: "1.9" }],
  ["an older version where the newest does not go with others", ["a", "b"], {
    a: { "1": ["c==1"], "2": ["c==2"] },
    b: { "1": ["c==1"] },
    c: { "1": [], "2": [] },
  }, { a: "1", b: "1", c: "1" }],
  ["by way of several steps back", ["a", "b"], {
    a: { "1": ["x"], "2": ["x"], "3": ["x"] },
    x: { "1": [], "2": ["b<1"], "3": ["b<1"] },
    b: { "1": [] },
  }, { a: "3", x: "1", b: "1" }],
  ["extras, and what they need", ["a[tls]"], {
    a: { "1": ["ssl>=2; extra == 'tls'", "docs; extra == 'docs'"] },
    ssl: { "2": [] },
    docs: { "1": [] },
  }, { a: "1", ssl: "2" }],
  ["extras that another egg asks for later", ["b", "a"], {
    a: { "1": ["b[fast]"] },
    b: { "1": ["speed; extra == 'fast'"] },
    speed: { "1": [] },
  }, { a: "1", b: "1", speed: "1" }],
  ["markers", ["a"], {
    a: { "1": ["win; sys_platform == 'win32'", "nix; sys_platform == 'linux'"] },
    win: { "1": [] },
    nix: { "1": [] },
  }, { a: "1", nix: "1" }],
  ["rings", ["a"], { a: { "1": ["b"] }, b: { "1": ["a>=1"] } }, { a: "1", b: "1" }],
  [
    "another version where one turns out to be unusable",
    ["a"],
    {
      a: { "1": [], "2": [] },
    },
    { a: "1" },
    { unusable: ["a@2"] },
  ],
  ["another version where one has requirements that nobody can read", ["a"], {
    a: { "1": [], "2": ["b ^1"], "3": ["b; what == 'x'"] },
  }, { a: "1" }],
  [
    "around what is there already",
    ["a"],
    {
      a: { "1": ["b<2"], "2": ["b>=2"] },
      b: { "1": [], "2": [] },
    },
    { a: "1" },
    { present: { b: "1.5" } },
  ],
];

for (const [what, roots, index, found, options] of CASES) {
  test(`resolvePython() finds ${what}`, async () => {
    assert.deepEqual((await resolve(roots, index, options)).found, found);
  });
}

const CONFLICTS: [what: string, roots: string[], index: Index, code: string, ...words: string[]][] =
  [
    ["a project that nobody has", ["a"], {}, "no-matching-version", "version of a"],
    [
      "two eggs that exclude each other's",
      ["a", "b"],
      {
        a: { "1": ["c>=2"] },
        b: { "1": ["c<2"] },
        c: { "1": [], "2": [] },
      },
      "requirements-conflict",
      "of c",
      "a@1 wants >=2",
      "b@1 wants <2",
    ],
    [
      "an egg that the application's range excludes",
      ["a", "c<2"],
      {
        a: { "1": ["c>=2"] },
        c: { "1": [], "2": [] },
      },
      "requirements-conflict",
      "the application wants <2",
      "a@1 wants >=2",
    ],
    [
      "a requirement on a URL",
      ["a"],
      {
        a: { "1": ["b @ https://host.example/b.whl"] },
      },
      "dependency-unsupported",
      "of a@1",
    ],
  ];

for (const [what, roots, index, code, ...words] of CONFLICTS) {
  test(`resolvePython() tells of ${what}`, async () => {
    await assert.rejects(resolve(roots, index), refusal(code as "offline", ...words));
  });
}

test("resolvePython() goes past decisions that had no part in what failed", async () => {
  // Twenty projects of twenty versions each lie between the two that exclude each other.
  const index: Index = { z: { "1": ["y<1"] }, y: { "1": [], "0.5": [] } };
  const roots = ["y"];
  for (let at = 0; at < 20; at++) {
    index[`p${at}`] = Object.fromEntries(
      Array.from({ length: 20 }, (_, version) => [String(version), []]),
    );
    roots.push(`p${at}`);
  }
  const { found, asked } = await resolve([...roots, "z"], index);
  assert.deepEqual([found.y, found.p0, found.z], ["0.5", "19", "1"]);
  assert.ok(asked.manifests.length < 100, `${asked.manifests.length} questions`);
});

test("resolvePython() walks down the versions of one project that another pins", async () => {
  const index: Index = { cli: {}, core: {} };
  for (let version = 0; version < 300; version++) {
    index.cli[`1.${version}`] = [`core==2.${version}`];
    index.core[`2.${version}`] = [];
  }
  const { found } = await resolve(["cli", "core<2.7"], index);
  assert.deepEqual(found, { cli: "1.6", core: "2.6" });
});
