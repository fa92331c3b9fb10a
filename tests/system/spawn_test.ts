/** Commands of eggs of JavaScript, on probation and after; and signals on their way to any command. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, EggContent, RuntimeName } from "../fixtures/application.ts";
import { application, moduleUrl, RUNTIMES } from "../fixtures/application.ts";
import { told } from "../fixtures/running_program.ts";

function tool(version: string, text: string, more: Record<string, string> = {}): EggContent {
  return {
    manifest: { name: "tool", version, type: "module", bin: { tool: "cli.js" } },
    files: { "cli.js": `#!/usr/bin/env node\n${text}`, ...more },
  };
}

/** A program that updates `tool`, runs it with its own arguments, and ends as it does. */
async function launcher(here: Application): Promise<void> {
  for (const runtime of ["deno", "node24"] as const) {
    Deno.writeTextFileSync(
      here.path(runtime, "launcher"),
      `import { Transmute } from "${await moduleUrl(runtime)}";
      const app = new Transmute({ app: "app", sources: [${JSON.stringify(here.dist)}] });
      app.require("tool");
      await app.update();
      const args = "Deno" in globalThis ? Deno.args : process.argv.slice(2);
      const { code } = await app.spawn("tool", args);
      ("Deno" in globalThis ? Deno.exit : process.exit)(code);
      `,
    );
  }
}

async function versionsOf(here: Application, runtime: RuntimeName, starts: number) {
  const found: string[] = [];
  for (let start = 0; start < starts; start++) {
    const { code, stdout } = await here.run(runtime, "launcher", ["x"]);
    found.push(`${code} ${stdout.trim()}`);
  }
  return found;
}

/** A program of the system's shell, which finds commands of eggs by their names. */
const BY_PATH = `import { Transmute } from "MODULE";
const app = new Transmute({ app: "app", sources: ["DIST"] });
app.require("tool");
await app.update();
const { code } = await app.spawn("sh", ["-c", 'tool "it\\'s" "a  b" && other']);
const { PATH } = await app.environment();
console.log(code, PATH.split(":")[0]);
`;

/** What ends a command before it has done anything. */
const BROKEN: [what: string, text: string][] = [
  ["imports what is not there", "import './nosuch.js';\n"],
  ["throws", "throw new Error('broken');\n"],
  ["rejects later", "setTimeout(() => Promise.reject(new Error('broken')), 1);\n"],
];

for (const runtime of RUNTIMES) {
  test(`environment() lets any program find the commands of eggs of JavaScript (${runtime})`, async () => {
    using here = application();
    const text = BY_PATH.replace("MODULE", await moduleUrl(runtime)).replace("DIST", here.dist);
    Deno.writeTextFileSync(here.path(runtime, "by_path"), text);
    const published = (version: string) =>
      tool(
        version,
        `import process from "node:process";
        console.log("${version}", JSON.stringify(process.argv.slice(2)));`,
      );
    const both = (version: string): EggContent => {
      const { manifest, files } = published(version);
      const bin = { tool: "cli.js", other: "cli.js", "../evil": "cli.js" };
      return { manifest: { ...manifest, bin }, files };
    };
    const folders: string[] = [];
    for (const version of ["1.0.0", "1.0.0", "1.1.0", "1.2.0", "1.2.0"]) {
      await here.publish(both(version));
      const [first, second, last] = await here.lines(runtime, "by_path");
      assert.equal(first, `${version} ["it's","a  b"]`);
      assert.equal(second, `${version} []`);
      assert.match(last, /^0 /);
      folders.push(last.slice(2));
    }
    assert.deepEqual([folders[1], folders[4]], [folders[0], folders[3]]);
    assert.deepEqual([...Deno.readDirSync(folders[4])].map(({ name }) => name).sort(), [
      "other",
      "tool",
    ]);
  });

  test(`spawn() goes back from an egg whose command an error ends (${runtime})`, async () => {
    using here = application();
    await launcher(here);
    await here.publish(tool("1.0.0", "console.log('one');\n"));
    assert.deepEqual(await versionsOf(here, runtime, 1), ["0 one"]);
    for (const [index, [what, text]] of BROKEN.entries()) {
      await here.publish(tool(`${index + 2}.0.0`, text));
      const found = await versionsOf(here, runtime, 4);
      assert.deepEqual(found, ["1 ", "1 ", "1 ", "0 one"], what);
    }
    assert.deepEqual([...Deno.readDirSync(`${here.store}/staging-v1`)], []);
  });

  test(`spawn() counts no exit code against an egg, and leaves its command as it is (${runtime})`, async () => {
    using here = application();
    await launcher(here);
    await here.publish(tool("1.0.0", "console.log('one');\n"));
    assert.deepEqual(await versionsOf(here, runtime, 1), ["0 one"]);
    await here.publish(tool(
      "2.0.0",
      `import process from "node:process";
      console.log(process.argv.slice(2).join(), process.env.TRANSMUTE_FAILED ?? "unset");
      process.exit(1);
      `,
    ));
    assert.deepEqual(await versionsOf(here, runtime, 5), Array(5).fill("1 x unset"));
    await here.publish(tool(
      "3.0.0",
      `import process from "node:process";
      process.on("uncaughtException", (error) => {
        console.log(error.message);
        process.exit(7);
      });
      setTimeout(() => { throw new Error("caught"); }, 1);
      `,
    ));
    assert.deepEqual(await versionsOf(here, runtime, 4), Array(4).fill("7 caught"));
    assert.deepEqual([...Deno.readDirSync(`${here.store}/staging-v1`)], []);
  });
}

for (const runtime of ["deno", "node24", "bun"] as const) {
  test(`spawn() passes signals on, and counts none against an egg (${runtime})`, async () => {
    using here = application();
    await launcher(here);
    await here.publish(tool("1.0.0", "console.log('one');\n"));
    assert.deepEqual(await versionsOf(here, runtime, 1), ["0 one"]);
    await here.publish(tool(
      "2.0.0",
      `import process from "node:process";
      if (process.argv[2] === "handles") process.on("SIGTERM", () => process.exit(5));
      setInterval(() => {}, 1000);
      console.log("running");
      `,
    ));
    for (const how of ["handles", "dies", "dies", "dies"]) {
      const program = await here.start(runtime, "launcher", [how]);
      await program.line(/running/);
      program.kill("SIGTERM");
      const end = await program.ended;
      assert.equal(end.code, how === "handles" ? 5 : 143, told(end));
    }
    const program = await here.start(runtime, "launcher", ["handles"]);
    await program.line(/running/);
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 5);
  });
}
