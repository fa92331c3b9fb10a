/**
 * Starts the Python application `main.py` beside it, on the newest eggs in the folder `dist` that
 * could be proven. No pip, no virtual environment.
 *
 * Run it with `deno run -A launch.ts <name>`, or in Node or Bun with the package `transmute-js`.
 */

import { Transmute } from "../../mod.ts";

const main = new URL("main.py", import.meta.url).pathname;
const app = new Transmute({ app: "python-launcher", sources: ["dist"] });
app.require("python:hello");
await app.update();
const { code } = await app.spawn("python3", [main, ...Deno.args]);
Deno.exit(code);
