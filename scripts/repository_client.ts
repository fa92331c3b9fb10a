/**
 * A program that requires `project-17` of a signed repository, for `bench_repository.ts`:
 * `<address> <root.json>`. Prints what it runs on.
 */

import { Transmute } from "../mod.ts";

const [address, root] = Deno.args;
const app = new Transmute({
  app: "bench",
  sources: [address],
  trust: { root },
  checkEveryMs: 0,
  budgetMs: 120_000,
});
app.require("project-17@>=1");
const { eggs, problems } = await app.update({ force: true });
for (const { message } of problems) console.error(message);
console.log(eggs.map(({ project, version }) => `${project}@${version}`).join(" "));
