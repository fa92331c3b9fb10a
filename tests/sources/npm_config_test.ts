import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError, TransmuteError } from "../../lib/errors.ts";
import { readNpmConfig } from "../../lib/sources/npm_config.ts";
import { defaultRegistry } from "../../lib/sources/default_registries.ts";
import type { ConfigValues } from "../fixtures/npm_surroundings.ts";
import { configOf, surroundings } from "../fixtures/npm_surroundings.ts";

const read = (values: ConfigValues) => readNpmConfig(surroundings(values));
const USER = "/home/ada/.npmrc";
const PROJECT = "/project/.npmrc";

test("readNpmConfig() without any configuration names the public registry", async () => {
  const config = await read({});
  const url = new URL(defaultRegistry);
  assert.equal(config.registryFor("hello").host, url.host);
  assert.equal(config.registryFor("@scope/hello").href, config.registryFor("hello").href);
  assert.ok(config.registryFor("hello").href.endsWith("/"));
  assert.equal(config.authorization(new URL("hello", url)), null);
});

test("readNpmConfig() prefers variables to the project's file, and that to the user's", async () => {
  const user = { [USER]: "registry=https://user.example" };
  const project = { [PROJECT]: "registry=https://project.example/npm" };
  const table: [values: ConfigValues, registry: string][] = [
    [{ files: user }, "https://user.example/"],
    [{ files: project }, "https://project.example/npm/"],
    [{ files: { ...user, ...project } }, "https://project.example/npm/"],
    [
      { files: project, env: { npm_config_registry: "https://lower.example" } },
      "https://lower.example/",
    ],
    [
      { files: project, env: { NPM_CONFIG_REGISTRY: "https://upper.example/" } },
      "https://upper.example/",
    ],
    [
      {
        env: {
          NPM_CONFIG_REGISTRY: "https://upper.example/",
          npm_config_registry: "https://lower.example/",
        },
      },
      "https://lower.example/",
    ],
    [{ files: user, env: { npm_config_registry: "" } }, "https://user.example/"],
    [
      {
        files: { ...user, "/etc/other": "registry=https://other.example/" },
        env: { NPM_CONFIG_USERCONFIG: "/etc/other" },
      },
      "https://other.example/",
    ],
    [
      {
        files: { "C:\\Users\\ada/.npmrc": "registry=https://windows.example/" },
        env: { USERPROFILE: "C:\\Users\\ada" },
        os: "win32",
      },
      "https://windows.example/",
    ],
  ];
  for (const [values, registry] of table) {
    const config = await read(values);
    assert.equal(config.registryFor("hello").href, registry, JSON.stringify(values));
  }
});

test("readNpmConfig() reads the working directory only where the program lies in it", async () => {
  const files = { [PROJECT]: "registry=https://project.example/" };
  const table: [mainModule: string | null, used: boolean][] = [
    ["file:///project/main.ts", true],
    ["file:///project/node_modules/tool/main.js", true],
    ["file:///project-of-another/main.ts", false],
    ["file:///usr/lib/node_modules/tool/main.js", false],
    ["https://host.example/project/main.ts", false],
    [null, false],
  ];
  for (const [mainModule, used] of table) {
    const config = await read({ files, mainModule });
    const found = config.registryFor("hello").href === "https://project.example/";
    assert.equal(found, used, String(mainModule));
  }
});

test("readNpmConfig() gives a scope its own registry", async () => {
  const config = await configOf(
    "registry=https://all.example/\n@ada:registry=https://ada.example/npm",
  );
  assert.equal(config.registryFor("@ada/hello").href, "https://ada.example/npm/");
  assert.equal(config.registryFor("@adam/hello").href, "https://all.example/");
  assert.equal(config.registryFor("hello").href, "https://all.example/");
  assert.deepEqual(config.registries.map(String), [
    "https://all.example/",
    "https://ada.example/npm/",
  ]);
});

test("readNpmConfig() reads an .npmrc as npm does: comments, quotes, spaces", async () => {
  const config = await configOf([
    "; a comment",
    "# another",
    ' registry = "https://quoted.example/" ',
    "//quoted.example/:_authToken=a=b==",
    "strict-ssl=false",
    "omit[]=dev",
    "[section]",
    "registry=https://wrong.example/",
  ].join("\r\n"));
  const registry = config.registryFor("hello");
  assert.equal(registry.href, "https://quoted.example/");
  assert.equal(config.authorization(registry), "Bearer a=b==");
});

test("NpmConfig.authorization() goes to the configured host and path only", async () => {
  const config = await configOf([
    "registry=https://host.example/npm/",
    "//host.example/npm/:_authToken=whole",
    "//host.example/npm/inner/:_authToken=inner",
    "//host.example:8443/:_authToken=port",
    "//slashless.example/a:_authToken=slashless",
    "//UPPER.example/:_authToken=upper",
    "_authToken=everywhere",
    "_auth=ZXZlcnl3aGVyZQ==",
  ].join("\n"));
  const table: [url: string, value: string | null][] = [
    ["https://host.example/npm/hello", "Bearer whole"],
    ["https://host.example/npm/", "Bearer whole"],
    ["https://host.example/npm", "Bearer whole"],
    ["https://host.example/npm/inner/hello", "Bearer inner"],
    ["https://host.example/npm/innermost", "Bearer whole"],
    ["https://host.example/npm/inner/../hello", "Bearer whole"],
    ["https://host.example/npm2/hello", null],
    ["https://host.example/", null],
    ["https://host.example/other/npm/hello", null],
    ["https://host.example:8443/npm/hello", "Bearer port"],
    ["https://host.example:8444/npm/hello", null],
    ["https://sub.host.example/npm/hello", null],
    ["https://host.example.evil.example/npm/hello", null],
    ["https://evil.example/host.example/npm/", null],
    ["https://evil.example/#//host.example/npm/", null],
    ["https://host.example@evil.example/npm/", null],
    ["https://slashless.example/a/hello", "Bearer slashless"],
    ["https://slashless.example/ab", null],
    ["https://upper.example/hello", "Bearer upper"],
  ];
  for (const [url, value] of table) {
    assert.equal(config.authorization(new URL(url)), value, url);
  }
});

test("NpmConfig.authorization() goes over plain HTTP only where that is configured", async () => {
  const config = await configOf([
    "registry=http://plain.example/",
    "//plain.example/:_authToken=plain",
    "//host.example/:_authToken=host",
    "//127.0.0.1:4873/:_authToken=local",
  ].join("\n"));
  assert.equal(config.authorization(new URL("http://plain.example/hello")), "Bearer plain");
  assert.equal(config.authorization(new URL("https://plain.example/hello")), "Bearer plain");
  assert.equal(config.authorization(new URL("https://host.example/hello")), "Bearer host");
  assert.equal(config.authorization(new URL("http://host.example/hello")), null);
  assert.equal(config.authorization(new URL("http://127.0.0.1:4873/hello")), "Bearer local");
});

test("NpmConfig.authorization() knows tokens, encoded pairs, and names with passwords", async () => {
  const password = btoa("päss:wörd".replace("ä", "\xc3\xa4").replace("ö", "\xc3\xb6"));
  const table: [lines: string[], value: string | null][] = [
    [["//h.example/:_authToken=abc"], "Bearer abc"],
    [["//h.example/:_auth=YWRhOnNlY3JldA=="], "Basic YWRhOnNlY3JldA=="],
    [
      ["//h.example/:username=ada", `//h.example/:_password=${btoa("secret")}`],
      `Basic ${btoa("ada:secret")}`,
    ],
    [
      ["//h.example/:username=ada", `//h.example/:_password=${password}`],
      `Basic ${btoa("ada:p\xc3\xa4ss:w\xc3\xb6rd")}`,
    ],
    [["//h.example/:_auth=YQ==", "//h.example/:_authToken=abc"], "Bearer abc"],
    [["//h.example/:username=ada"], null],
    [["//h.example/:_authToken="], null],
  ];
  for (const [lines, value] of table) {
    const config = await configOf(lines.join("\n"));
    assert.equal(config.authorization(new URL("https://h.example/x")), value, lines.join(" "));
  }
});

test("NpmConfig.authorization() takes tokens from variables, read when needed", async () => {
  const asked: string[] = [];
  const from = surroundings({
    env: { TOKEN: "abc", HOST: "h.example" },
    files: {
      [USER]: [
        "//${HOST}/:_authToken=${TOKEN}",
        "//other.example/:_authToken=${OTHER}",
        "//maybe.example/:_authToken=pre${OTHER?}post",
      ].join("\n"),
    },
  });
  const config = await readNpmConfig({
    ...from,
    env: (name) => {
      asked.push(name);
      return from.env(name);
    },
  });
  assert.ok(!asked.includes("TOKEN"));
  assert.equal(config.authorization(new URL("https://h.example/x")), "Bearer abc");
  assert.ok(asked.includes("TOKEN") && !asked.includes("OTHER"));
  assert.equal(config.unsetVariables.size, 0);
  assert.equal(config.authorization(new URL("https://other.example/x")), null);
  assert.deepEqual([...config.unsetVariables], ["OTHER"]);
  assert.equal(config.authorization(new URL("https://maybe.example/x")), "Bearer prepost");
});

test("readNpmConfig() refuses an address that is none, without telling its password", async () => {
  for (
    const value of [
      "not an address",
      "ftp://ada:secret@host.example/",
      "https://ada:secret@host.example/?query",
      "file:///etc/",
      "${UNSET}",
    ]
  ) {
    await assert.rejects(configOf(`registry=${value}`), (error) => {
      assert.ok(isTransmuteError(error, "option-invalid"), value);
      assert.ok(!error.message.includes("secret"), error.message);
      return true;
    });
  }
  const config = await configOf("registry=https://ada:secret@host.example");
  assert.equal(config.registryFor("hello").href, "https://host.example/");
});

test("readNpmConfig() names all the permissions that are missing, first variables, then files", async () => {
  const denied = (what: string) => {
    throw new TransmuteError("permission-missing", `Cannot go on without ${what}`);
  };
  const from = surroundings({});
  await assert.rejects(
    readNpmConfig({ ...from, env: (name) => name === "HOME" ? "/home/ada" : denied(name) }),
    (error) => {
      assert.ok(isTransmuteError(error, "permission-missing"));
      const flag = "--allow-env=npm_config_registry,NPM_CONFIG_REGISTRY," +
        "npm_config_userconfig,NPM_CONFIG_USERCONFIG";
      assert.ok(error.message.endsWith(flag), error.message);
      return true;
    },
  );
  await assert.rejects(readNpmConfig({ ...from, readTextFile: denied }), (error) => {
    assert.ok(isTransmuteError(error, "permission-missing"));
    assert.ok(error.message.endsWith(`--allow-read=${PROJECT},${USER}`), error.message);
    return true;
  });
});

test("readNpmConfig() tells of a file that cannot be read", async () => {
  const from = surroundings({});
  const readTextFile = (path: string) => {
    throw new Error(`${path} is a directory`);
  };
  await assert.rejects(
    readNpmConfig({ ...from, readTextFile }),
    (error) => isTransmuteError(error, "option-invalid") && error.message.includes(PROJECT),
  );
});
