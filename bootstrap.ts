/**
 * Starts an application on the newest Transmute, without the application shipping a copy of it.
 *
 * `deno task bundle` makes `build/bootstrap.ts` of this: one file that imports nothing. Copy that,
 * fill in its end, and run it: `deno run`, `node` (before 22.18 with `--experimental-strip-types`)
 * or `bun`. What happens at a start:
 *
 * 1. A Transmute that this file can import already (`specifier`) is taken, whatever its version.
 * 2. Else the copy kept from an earlier start, when its digest is right. No request is made.
 * 3. When there is none, or a day has passed (`checkEveryMs`), the sources are asked for the newest
 *    that fits. A new copy is proven and imported before it becomes the kept one. Whatever fails,
 *    the kept one serves: `onProblem` is told, or standard error where `TRANSMUTE_LOG` is `warn`,
 *    `info` or `debug`, and the sources are asked again after ten minutes.
 * 4. The application's components are brought up to date, and `main` runs.
 *
 * Deno needs `--allow-read` and `--allow-write` for the store (`cacheDir`), `--allow-sys=uid` and
 * `--allow-env=TRANSMUTE_*,HOME,XDG_DATA_HOME`; for an npm registry `--allow-net=<its host>`,
 * `--allow-read=.npmrc,<home>/.npmrc`, `--allow-env=npm_config_registry,NPM_CONFIG_REGISTRY`, and
 * `--allow-run=npm` unless one of those names it. What is missing is an error that names the flag.
 *
 * @module
 */

import { bootstrap } from "./bootstrap/load.ts";
import { node, nodeFiles } from "./bootstrap/machine.ts";

/** Whether this file is the program. Node says so itself from 22.18 on. */
function isProgram(): boolean {
  const { main, filename } = import.meta as { main?: boolean; filename?: string };
  return main ?? nodeFiles().realpathSync(node().argv[1] ?? "/") === filename;
}

// ═════ Fill in from here. ═════

if (isProgram()) {
  await bootstrap({
    app: "my-application",
    requirements: ["hello@^1"],
    sources: ["dist"],
    async main(transmute) {
      const hello = await transmute.import<{ greet(name: string): void }>("hello");
      hello.greet("world");
      return 0;
    },
  });
}
