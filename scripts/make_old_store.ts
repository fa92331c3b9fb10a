/**
 * Makes a store with Transmute 0.1.0, for the test that later versions read it. The result is kept
 * in `tests/fixtures`; it is only made again when the test is to have another content.
 *
 * Run it with `deno run -A scripts/make_old_store.ts`.
 */

import { packEntries } from "../lib/publisher/pack.ts";
import { checkOutOldRelease, OLD_STORE } from "../tests/fixtures/old_release.ts";

const PROGRAM = `
import { Transmute } from "./mod.ts";
import { directorySource } from "./lib/sources/directory.ts";

const [dist, cacheDir] = Deno.args;
// The name of the folder is another one wherever this is made.
const source = { ...directorySource(dist), id: "eggs" };
const transmute = new Transmute({ app: "app", cacheDir, sources: [source], now: () => 1.9e12 });
transmute.require(["hello@>=1", "world"]);
await transmute.update();
`;

const scratch = Deno.makeTempDirSync({ prefix: "transmute-old-" });
try {
  const [release, dist, store] = [`${scratch}/release`, `${scratch}/dist`, `${scratch}/store`];
  for (const folder of [release, dist]) Deno.mkdirSync(folder);
  if (!await checkOutOldRelease(release)) throw new Error("Cannot find 0.1.0: no history here");
  Deno.writeTextFileSync(`${release}/make.ts`, PROGRAM);
  for (const [name, version] of [["world", "4.0.0"], ["hello", "1.0.0"], ["hello", "2.0.0"]]) {
    const { filename, archive } = await packEntries(
      { name, version, type: "module", exports: { ".": "./index.js", "./sub": "./sub.js" } },
      {
        "index.js": `export const greet = (name) => "Hi, " + name + "! ${version} of ${name}";\n`,
        "sub.js": `export default "the subpath of ${version}";\n`,
      },
    );
    Deno.writeFileSync(`${dist}/${filename}`, archive);
    if (name === "world") continue;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${release}/make.ts`, dist, store],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }
  const files: Record<string, string> = {};
  const take = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(`${store}/${folder}`)) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isDirectory) take(path);
      // The lock belongs to SQLite, and is made when it is missing.
      else if (!name.endsWith(".sqlite")) {
        files[path] = Deno.readFileSync(`${store}/${path}`).toBase64();
      }
    }
  };
  take("");
  const sorted = Object.fromEntries(Object.entries(files).sort());
  Deno.writeTextFileSync(OLD_STORE, `${JSON.stringify(sorted, null, 2)}\n`);
  console.log(`${OLD_STORE}: ${Object.keys(files).length} files`);
} finally {
  Deno.removeSync(scratch, { recursive: true });
}
