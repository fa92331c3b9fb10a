/**
 * Rules about every file's name and text, whatever its language: what it is called, and that it
 * says nothing about the machine that it was written on or the registry that this machine reaches.
 */

/** One broken rule: where, and what. */
interface TextProblem {
  path: string;
  line: number;
  text: string;
}

const SNAKE_CASE_REGEXP = /^[a-z0-9]+(_[a-z0-9]+)*(\.d)?\.ts$/;
/** Names that say nothing about what is in the file. */
const EMPTY_NAME_REGEXP =
  /^(index|types|data|info|.*_data|.*_info)\.|(^|_)(utils?|helpers?|common|managers?|handlers?|misc|shared)[_.]/;

/**
 * Hosts of public registries. Which registry to ask is the user's configuration; its default is
 * known by the libraries that read it. Written in two halves so that this file passes too.
 */
const REGISTRY_HOSTS = [
  ["registry.npmjs", "org"],
  ["registry.npmjs", "com"],
  ["registry.yarnpkg", "com"],
  ["files.pythonhosted", "org"],
  ["pypi", "org"],
  ["npm.jsr", "io"],
  ["index.crates", "io"],
  ["proxy.golang", "org"],
].map((halves) => halves.join("."));

/** A path that exists on one person's machine; `you` and `ada` are nobody's. */
const MACHINE_PATH_REGEXP =
  /(?<![\w.$}*-])\/(root|work|opt\/rt|(?:home|Users)\/(?!you\b|ada\b|<)[\w.-]+)\/[\w.-]/;

/** What is wrong with the name of the file at `path`. */
export function nameProblems(path: string): TextProblem[] {
  const name = path.split("/").at(-1)!;
  if (!name.endsWith(".ts")) return [];
  if (!SNAKE_CASE_REGEXP.test(name)) {
    return [{ path, line: 1, text: `"${name}" is not in snake_case` }];
  }
  if (EMPTY_NAME_REGEXP.test(name)) {
    return [{ path, line: 1, text: `"${name}" does not say what the file is about` }];
  }
  return [];
}

/** What is wrong with the text of the file at `path`. Binary files have no text. */
export function textProblems(path: string, text: string): TextProblem[] {
  if (text.includes("\0")) return [];
  const problems: TextProblem[] = [];
  text.split("\n").forEach((content, index) => {
    const line = index + 1;
    const host = REGISTRY_HOSTS.find((host) => content.includes(host));
    if (host !== undefined) problems.push({ path, line, text: `names the registry host ${host}` });
    const machinePath = MACHINE_PATH_REGEXP.exec(content)?.[0];
    if (machinePath !== undefined) {
      problems.push({ path, line, text: `names a path of one machine: ${machinePath}…` });
    }
  });
  return problems;
}
