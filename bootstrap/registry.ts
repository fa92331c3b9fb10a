/**
 * An npm registry, as the user's own configuration names it.
 *
 * @module
 */

import { modFile } from "./archive.ts";
import {
  assertDigest,
  decode,
  demand,
  Deno,
  failure,
  fileUrl,
  hex,
  isWindows,
  node,
  readFile,
  variables,
} from "./machine.ts";
import { get } from "./request.ts";
import type { Found, Question } from "./question.ts";
import { fits, newest } from "./versions.ts";

/** The settings of the user's `.npmrc` and, if this file lies below it, of the working folder's. */
function npmSettings(): (key: string) => string | undefined {
  const [home] = variables(isWindows ? "USERPROFILE" : "HOME");
  const workingFolder = (Deno ?? node()).cwd();
  // A program that is started somewhere else must not be led astray by what lies there.
  const isOwn = import.meta.url.startsWith(`${fileUrl(workingFolder)}/`);
  const paths = [home, isOwn && workingFolder].flatMap((path) => path ? `${path}/.npmrc` : []);
  demand("read", "path", ...paths);
  const settings = new Map(
    paths.flatMap((path) => decode(readFile(path)).split("\n")).map((line) => {
      const [key, ...value] = line.split("=");
      return [key.trim(), value.join("=").trim().replace(/^(["'])(.*)\1$/, "$2")];
    }),
  );
  return (key) => settings.get(key)?.replace(/\$\{(\w+)\}/g, (_, name) => variables(name)[0] ?? "");
}

/** What npm itself says; an empty text where it cannot be asked. */
async function configuredRegistry(cwd: string, signal: AbortSignal): Promise<string> {
  const [program, ...args] = [
    ...isWindows ? ["cmd", "/c"] : [],
    "npm",
    "config",
    "get",
    "registry",
  ];
  demand("run", "command", program);
  if (Deno) {
    const child = new Deno.Command(program, { args, cwd, signal, stderr: "null" });
    return decode((await child.output().catch(() => ({}))).stdout);
  }
  const { execFile } = node().getBuiltinModule("node:child_process");
  return await new Promise((resolve) => {
    execFile(program, args, { cwd, signal }, (_: unknown, output: string) => resolve(output));
  });
}

/**
 * From a registry: as npm does, without what this runtime is too old for, and `latest` first.
 *
 * @param address empty for the registry of the user's configuration
 */
export async function fromRegistry(
  address: string,
  question: Question,
): Promise<Found | undefined> {
  const { name, range, folder, signal } = question;
  const setting = npmSettings();
  const [lower, upper] = variables("npm_config_registry", "NPM_CONFIG_REGISTRY");
  const configured = address || setting(`${name.split("/")[0]}:registry`) || lower || upper ||
    setting("registry") || await configuredRegistry(folder, signal);
  if (!/^https?:\/\//.test(configured)) {
    const hint = "Set npm_config_registry, or registry= in ~/.npmrc";
    throw failure("option-invalid", "npm's configuration names no registry", hint);
  }
  const registry = new URL(`${configured.trim().replace(/\/+$/, "")}/`);
  registry.username = registry.password = "";

  const headersFor = (url: URL): Record<string, string> => {
    const accept = "application/vnd.npm.install-v1+json, */*;q=0.5";
    let path = url.href.startsWith(registry.href) ? `//${url.host}${url.pathname}` : "";
    while ((path = path.slice(0, path.lastIndexOf("/"))).length > 2) {
      const [token, basic] = [setting(`${path}/:_authToken`), setting(`${path}/:_auth`)];
      const authorization = token ? `Bearer ${token}` : `Basic ${basic}`;
      if (token || basic) return { accept, authorization };
    }
    return { accept };
  };

  const answer = decode(await get(new URL(name.replace("/", "%2f"), registry), signal, headersFor));
  const invalid = (found: string) => failure("listing-invalid", `${registry.host} sent ${found}`);
  const listing = answer.startsWith("{") ? JSON.parse(answer) : {};
  if (listing.name !== name || !listing.versions) throw invalid(`no listing of ${name}`);
  const [engine] = node().versions.node.split("-");
  const usable = Object.keys(listing.versions).filter((version) =>
    fits(engine, listing.versions[version].engines?.node ?? ">=0") !== false
  );
  const latest = usable.filter((version) => version === listing["dist-tags"]?.latest);
  const isPreferred = latest.length > 0 && fits(latest[0], range) &&
    !question.rejected.includes(latest[0]);
  const version = newest(isPreferred ? latest : usable, question);
  if (version === undefined) return undefined;

  const { tarball, integrity } = listing.versions[version].dist;
  const base64 = /sha512-([\w+/]{86}==)/.exec(integrity)?.[1];
  if (base64 === undefined) throw invalid(`no SHA-512 of ${name} ${version}`);
  const url = new URL(tarball, registry);
  // A registry behind a proxy often does not know that it is reached by TLS.
  if (url.host === registry.host) url.protocol = registry.protocol;
  if (url.protocol !== registry.protocol && url.protocol !== "https:") throw invalid(url.href);
  const archive = await get(url, signal, headersFor);
  const digest = hex(Array.from(atob(base64), (character) => character.charCodeAt(0)));
  await assertDigest(archive, digest, `${name} ${version}`);
  return { version, bytes: await modFile(archive, `${name} ${version}`) };
}
