/**
 * The results of a test run, read from the JUnit report that every runtime's test runner writes.
 * The three runners fill the format in differently; what this gives is the same for all.
 */

import { parseXml, XmlElement } from "npm:@rgrove/parse-xml@5.0.0";

/** What became of one test. */
export interface TestResult {
  /** The titles of its suites and its own, joined by ` > `. */
  title: string;
  /** The file as the runner names it, or `null` when it does not. */
  file: string | null;
  outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped or how it failed, or `null` when the runner does not tell. */
  detail: string | null;
}

/** Names of suites that stand for a file and are no part of a test's title. */
const FILE_SUITE_REGEXP = /^ext:|\.[jt]s(\$\d+-\d+)?(\.[jt]s)?$/;
/** What a failure's text may hold, and XML may not. */
// deno-lint-ignore no-control-regex
const UNPRINTABLE_REGEXP = /\x1b\[[\d;]*m|[\x00-\x08\x0b\x0c\x0e-\x1f]/g;

/**
 * Reads a JUnit report.
 *
 * @throws {Error} when it is not whole, as that of a killed run.
 */
export function readJunit(xml: string): TestResult[] {
  const root = parseXml(xml.replace(UNPRINTABLE_REGEXP, "")).root;
  if (root === null) throw new Error("Cannot read the test report: it is empty");
  const results: TestResult[] = [];
  collect(root, "", results);
  return withoutContainers(results);
}

/**
 * Deno reports a test that only holds others beside them; what counts are those. It also loses
 * the file of tests in a `describe()`, which the holder knows.
 */
function withoutContainers(results: TestResult[]): TestResult[] {
  const byTitle = new Map(results.map((result) => [result.title, result]));
  const containers = new Set<TestResult>();
  for (const result of results) {
    const container = byTitle.get(result.title.slice(0, result.title.lastIndexOf(" > ")));
    if (container === undefined) continue;
    if (result.file?.startsWith("ext:")) result.file = container.file;
    if (!(container.outcome === "failed" && !/^\d+ test steps? failed/.test(container.detail!))) {
      containers.add(container);
    }
  }
  return results.filter((result) => !containers.has(result));
}

function collect(element: XmlElement, prefix: string, results: TestResult[]): void {
  for (const child of children(element)) {
    const name = unescape(child.attributes.name ?? "");
    if (child.name === "testsuite") {
      collect(child, FILE_SUITE_REGEXP.test(name) ? prefix : `${prefix}${name} > `, results);
    } else if (child.name === "testcase") {
      results.push({ title: prefix + name, file: fileOf(child), ...outcomeOf(child) });
    }
  }
}

/** Node and Bun name the file in `file`, Deno in `classname`. */
function fileOf({ attributes }: XmlElement): string | null {
  if (attributes.file !== undefined) return attributes.file;
  return attributes.classname?.includes("/") ? attributes.classname : null;
}

function outcomeOf(testcase: XmlElement): Pick<TestResult, "outcome" | "detail"> {
  // Node writes both for a failing test marked as to do: being skipped comes first.
  for (const [name, outcome] of [["skipped", "skipped"], ["failure", "failed"]] as const) {
    const found = children(testcase).find((child) => child.name === name);
    if (found === undefined) continue;
    const message = found.attributes.message ?? "";
    const detail = outcome === "failed" && found.text.trim() !== "" ? found.text : message;
    return { outcome, detail: ["", "true"].includes(detail.trim()) ? null : detail.trim() };
  }
  return { outcome: "passed", detail: null };
}

function children(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => child instanceof XmlElement);
}

/** Node escapes quotes twice. */
function unescape(name: string): string {
  return name.replaceAll("&quot;", '"');
}
