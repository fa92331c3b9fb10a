/**
 * An application that carries a root: it takes what its author signed, and nothing else.
 *
 * `app.ts <address of the repository> [days]`: what it would do so many days later.
 */

import { Transmute } from "../../mod.ts";

const [address, days = "0"] = Deno.args;
const app = new Transmute({
  app: "signed-example",
  sources: [address],
  trust: { root: "root.json" },
  now: () => Date.now() + Number(days) * 24 * 60 * 60 * 1000,
});
app.require("hello");
// Ordinary starts ask once a day, and rest after a failure.
const report = await app.update({ force: true, budgetMs: 20_000 });

for (const { code, message, version } of report.refused) {
  console.log(`(hello ${version} was refused, ${code}: ${message})`);
}
for (const { code, message } of report.problems) console.log(`(${code}: ${message})`);

const hello = await app.import<{ greet(name: string): void }>("hello");
hello.greet("world");
