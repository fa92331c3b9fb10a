import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import {
  asPython,
  parseRequirement,
  parseSpecifier,
  requirementKey,
} from "../../lib/model/requirement.ts";

const ACCEPTED: [text: string, project: string, range: string, scheme?: string][] = [
  ["hello", "hello", "*"],
  ["hello@^1.2", "hello", "^1.2"],
  ["hello@1.2.3", "hello", "1.2.3"],
  ["hello@latest", "hello", "latest"],
  ["hello>=1.2,<2", "hello", ">=1.2 <2"],
  ["hello >=1.2 , <2", "hello", ">=1.2 <2"],
  ["hello~1.2.3", "hello", "~1.2.3"],
  ["hello@1.x || >=2.5.0-rc.1 <3", "hello", "1.x || >=2.5.0-rc.1 <3"],
  ["hello@1.2 - 2.3.4", "hello", "1.2 - 2.3.4"],
  ["hello@*", "hello", "*"],
  ["  hello  ", "hello", "*"],
  ["@scope/name", "@scope/name", "*"],
  ["@scope/name@^1", "@scope/name", "^1"],
  ["npm:chalk@5", "chalk", "5", "npm"],
  ["npm:@types/node@>=24", "@types/node", ">=24", "npm"],
  ["jsr:@std/path@^1", "@std/path", "^1", "jsr"],
  ["lodash.merge@4.6.2+build.5", "lodash.merge", "4.6.2+build.5"],
  ["pypi:Foo_Bar", "foo-bar", "", "pypi"],
  ["pypi:six>=1.9,!=1.11", "six", ">=1.9,!=1.11", "pypi"],
  ["six ~= 1.9", "six", "~=1.9"],
  ["six>=1!2.0", "six", ">=1!2.0"],
  ["python:six", "six", ""],
  ["js:hello", "hello", "*"],
  ["executable:hello@^1", "hello", "^1"],
];

const WORLDS: [text: string, ecosystem: "js" | "python" | null, key: string][] = [
  ["hello", null, "hello@*"],
  ["hello>=1.2,<2", null, "hello@>=1.2 <2"],
  ["hello@^1", "js", "hello@^1"],
  ["hello>=1 || 3", "js", "hello@>=1 || 3"],
  ["js:hello>=1", "js", "js:hello@>=1"],
  ["npm:hello", "js", "npm:hello@*"],
  ["executable:hello", "js", "executable:hello@*"],
  ["executable:@scope/hello@^1", "js", "executable:@scope/hello@^1"],
  ["@scope/hello", "js", "@scope/hello@*"],
  ["hello==1.0", "python", "python:hello==1.0"],
  ["hello>=1!2.0", "python", "python:hello>=1!2.0"],
  ["hello>=1.0rc1,<2", "python", "python:hello>=1.0rc1,<2"],
  ["hello>1.0.post2", "python", "python:hello>1.0.post2"],
  ["hello1b2>=1", null, "hello1b2@>=1"],
  ["hello@>=1.0.0-0rc1", "js", "hello@>=1.0.0-0rc1"],
  ["Hello[tls,A_b]>=1; os_name == 'nt'", "python", "python:hello[a-b,tls]>=1; os_name == 'nt'"],
  ["pypi:hello", "python", "pypi:hello"],
];

for (const [text, ecosystem, key] of WORLDS) {
  test(`parseRequirement() takes "${text}" for ${ecosystem ?? "one of either world"}`, () => {
    const requirement = parseRequirement(text);
    assert.equal(requirement.ecosystem, ecosystem);
    assert.equal(requirementKey(requirement), key);
    assert.equal(requirementKey(parseRequirement(key)), key, "a key can be read again");
    assert.equal(parseRequirement(key).ecosystem, ecosystem);
  });
}

test("asPython() reads what fits both worlds as of Python", () => {
  const { project, range, ecosystem } = asPython(parseRequirement("Foo_Bar>=1.2 <2"));
  assert.deepEqual([project, range, ecosystem], ["foo-bar", ">=1.2,<2", "python"]);
  assert.equal(asPython(parseRequirement("foo")).range, "");
});

for (const [text, project, range, scheme] of ACCEPTED) {
  test(`parseRequirement() reads "${text}"`, () => {
    const requirement = parseRequirement(text);
    assert.equal(requirement.project, project);
    assert.equal(requirement.range, range);
    assert.equal(requirement.scheme, scheme);
    assert.equal(requirement.text, text);
  });
}

const REFUSED: [text: string, code: string][] = [
  ["", "requirement-syntax"],
  ["@", "requirement-syntax"],
  ["@scope", "requirement-syntax"],
  [".hidden", "requirement-syntax"],
  ["hello@", "requirement-syntax"],
  ["hello/sub", "requirement-syntax"],
  ["hello world", "requirement-syntax"],
  ["hello@>=", "version-syntax"],
  ["hello@^one", "version-syntax"],
  ["hello@1.2.3.4", "version-syntax"],
  ["hello@1 |", "version-syntax"],
  ["hello@../../etc", "version-syntax"],
  ["hello>=1,<", "version-syntax"],
  ["jsr:path@^1", "requirement-syntax"],
  ["brew:hello", "source-scheme-unknown"],
  ["pypi:", "requirement-syntax"],
  ["pypi:foo@1.0", "requirement-syntax"],
  ["python:foo^1", "requirement-syntax"],
  ["foo[bar", "requirement-syntax"],
];

for (const [text, code] of REFUSED) {
  test(`parseRequirement() refuses "${text}" as ${code}`, () => {
    assert.throws(() => parseRequirement(text), (error) => {
      assert.ok(isTransmuteError(error));
      assert.equal(error.code, code);
      assert.match(error.message, /^Cannot parse the requirement/);
      assert.ok(error.hint, "a hint says how to write it");
      return true;
    });
  });
}

test("requirementKey() is the same for texts that mean the same", () => {
  const key = (text: string) => requirementKey(parseRequirement(text));
  assert.equal(key("hello"), key("hello@*"));
  assert.equal(key("hello>=1,<2"), key(" hello >=1 <2"));
  assert.notEqual(key("hello"), key("npm:hello"));
  assert.notEqual(key("js:hello"), key("executable:hello"));
});

const SPECIFIERS: [specifier: string, project: string, subpath: string][] = [
  ["hello", "hello", "."],
  ["hello/sub", "hello", "./sub"],
  ["hello/sub/file.js", "hello", "./sub/file.js"],
  ["@scope/name", "@scope/name", "."],
  ["@scope/name/sub", "@scope/name", "./sub"],
];

for (const [specifier, project, subpath] of SPECIFIERS) {
  test(`parseSpecifier() splits "${specifier}"`, () => {
    assert.deepEqual(parseSpecifier(specifier), { project, subpath });
  });
}

for (const specifier of ["", ".", "./hello", "/etc/passwd", "hello/../other", "@scope"]) {
  test(`parseSpecifier() refuses "${specifier}"`, () => {
    assert.throws(
      () => parseSpecifier(specifier),
      (error) => isTransmuteError(error, "entry-missing"),
    );
  });
}
