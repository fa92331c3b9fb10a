/** Replacing a program's file: whole or not at all, wherever the process that does it dies. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { packageOwner } from "../../lib/loader/package_owner.ts";
import { assertReplaceable, replaceProgram } from "../../lib/loader/replace.ts";
import { refusal } from "../fixtures/refusal.ts";
import { outputOf, runProgram } from "../fixtures/running_program.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const script = (version: string) => `#!/bin/sh\necho ${version}\n`;
const bytes = (text: string) => new TextEncoder().encode(text);

/** Replaces the program, and is killed before the operation of that number. */
const DYING = `
import { runtime } from "${new URL("../../lib/runtime/current.ts", import.meta.url).href}";
import { removeLeftovers, replaceProgram } from "${
  new URL("../../lib/loader/replace.ts", import.meta.url).href
}";
const [path, text, dies] = Deno.args;
let count = 0;
for (const name of ["writeFile", "rename", "remove", "flush"]) {
  const operation = runtime[name];
  runtime[name] = (...args) => {
    if (count++ === Number(dies)) Deno.kill(Deno.pid, "SIGKILL");
    return operation(...args);
  };
}
removeLeftovers(path);
await replaceProgram(path, new TextEncoder().encode(text));
`;

test("replaceProgram() leaves a program that runs, whatever it was doing when it was killed", async () => {
  using folder = temporaryFolder();
  const [path, dying] = [`${folder.path}/mytool`, `${folder.path}/dying.ts`];
  Deno.writeTextFileSync(dying, DYING);
  let kills = 0;
  for (let dies = 0;; dies++) {
    Deno.writeTextFileSync(path, script("1.0.0"));
    Deno.chmodSync(path, 0o755);
    const end = await runProgram(Deno.execPath(), [
      ...["run", "-A", "--quiet", "--no-check", dying, path, script("2.0.0"), String(dies)],
    ]);
    const printed = (await outputOf(path, [])).trim();
    if (end.code === 0) {
      assert.equal(printed, "2.0.0");
      break;
    }
    kills++;
    assert.ok(printed === "1.0.0" || printed === "2.0.0", printed);
  }
  assert.ok(kills >= 3, `${kills} places to die at`);
  const left = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  assert.deepEqual(left, ["dying.ts", "mytool"], "what the killed ones left was cleared up");
});

test("replaceProgram() keeps the mode, and replaces one that is running", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/mytool`;
  Deno.writeTextFileSync(path, "#!/bin/sh\nread line\necho $line\n");
  Deno.chmodSync(path, 0o751);
  const running = new Deno.Command(path, { stdin: "piped", stdout: "piped" }).spawn();
  await replaceProgram(path, bytes(script("2.0.0")));
  const writer = running.stdin.getWriter();
  await writer.write(bytes("the old one goes on\n"));
  await writer.close();
  assert.equal(new TextDecoder().decode((await running.output()).stdout), "the old one goes on\n");
  assert.equal((await outputOf(path, [])).trim(), "2.0.0");
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o751);
});

test("replaceProgram() leaves the old one where the new one cannot be written", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/none/mytool`;
  await assert.rejects(replaceProgram(path, bytes("x")), refusal("replace-refused", path));
});

test("assertReplaceable() refuses a folder that nothing can be written to", async () => {
  await assert.rejects(
    assertReplaceable("/proc/mytool", "mytool"),
    refusal("replace-refused", "/proc/mytool"),
  );
});

const OWNED: [path: string, manager: string, command: string][] = [
  ["/opt/homebrew/Cellar/mytool/1.0/bin/mytool", "Homebrew", "brew upgrade mytool"],
  ["/opt/linuxbrew/Cellar/mytool/1/bin/mytool", "Homebrew", "brew upgrade mytool"],
  ["/nix/store/abc-mytool/bin/mytool", "Nix", "nix profile upgrade"],
  ["/snap/mytool/5/mytool", "snap", "snap refresh mytool"],
  ["/usr/lib/node_modules/mytool/mytool", "npm", "npm update -g mytool"],
  ["C:\\Users\\ada\\scoop\\apps\\mytool\\1.0\\mytool.exe", "Scoop", "scoop update mytool"],
];

for (const [path, manager, command] of OWNED) {
  test(`packageOwner() knows that ${path} is ${manager}'s`, async () => {
    assert.deepEqual(await packageOwner(path, "mytool"), { manager, command });
  });
}

test("packageOwner() asks the system's package manager about its own folders alone", async () => {
  assert.equal(await packageOwner("/usr/local/bin/mytool", "mytool"), null);
  assert.equal(await packageOwner("/home/ada/bin/mytool", "mytool"), null);
  const debian = await runProgram("sh", ["-c", "dpkg -S /usr/bin/env"]);
  if (debian.code !== 0) return console.log("# skip packageOwner() asks dpkg: there is none");
  assert.deepEqual(await packageOwner("/usr/bin/env", "mytool"), {
    manager: "dpkg",
    command: "apt-get install --only-upgrade coreutils",
  });
});
