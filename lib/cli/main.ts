/**
 * The command `transmute`.
 *
 * Everything that a command needs is loaded when it is run. Nothing imports this part of the
 * project, and `mod.ts` loads nothing of it.
 *
 * @module
 */

import type { Console } from "../runtime/console.ts";
import { openConsole } from "../runtime/console.ts";
// It knows the address of the file that it is in, which what a bundle loads lazily does not.
import "../transmute.ts";
import type { CommandOptions, RunCommand } from "./command.ts";
import type { CommandName } from "./commands.ts";
import { EXIT_CODES, exitCodeOf } from "./exit_codes.ts";
import { Output } from "./output.ts";
import { styleFor } from "./style.ts";

/** The file of each command. */
const FILES: Record<CommandName, () => Promise<{ run: RunCommand }>> = {
  status: () => import("./status.ts"),
  check: () => import("./check.ts"),
  update: () => import("./update.ts"),
  run: () => import("./run.ts"),
  list: () => import("./list.ts"),
  history: () => import("./history.ts"),
  rollback: () => import("./rollback.ts"),
  hold: () => import("./hold.ts"),
  unhold: () => import("./unhold.ts"),
  confirm: () => import("./confirm.ts"),
  verify: () => import("./verify.ts"),
  gc: () => import("./gc.ts"),
  index: () => import("./index_command.ts"),
  doctor: () => import("./doctor.ts"),
  completion: () => import("./completion.ts"),
  keygen: () => import("./keygen.ts"),
  pack: () => import("./pack.ts"),
  "init-repository": () => import("./init_repository.ts"),
  publish: () => import("./publish.ts"),
  yank: () => import("./yank.ts"),
  promote: () => import("./promote.ts"),
  "rotate-key": () => import("./rotate_key.ts"),
  refresh: () => import("./refresh.ts"),
  inspect: () => import("./inspect.ts"),
};

/** Runs a command line to its end, and gives the exit code. */
async function runCommandLine(console: Console): Promise<number> {
  const { args } = console;
  // The command line may be what cannot be read; whoever wants JSON wants it of that too.
  let output = new Output(console, { json: args.includes("--json"), quiet: false });
  try {
    const { readCommandLine } = await import("./program.ts");
    const line = readCommandLine(args, console.columns());
    if ("text" in line) {
      console.writeOutput(line.text);
      return EXIT_CODES.done;
    }
    output = new Output(console, line.options);
    setVariables(console, line.options);
    const { run } = await FILES[line.name]();
    const outcome = await run({
      args: line.args,
      options: line.options,
      style: styleFor(console.isOutputTerminal() && !line.options.json),
      now: Date.now(),
      progress: (text) => output.progress(text),
    });
    output.outcome(outcome);
    return outcome.exitCode ?? EXIT_CODES.done;
  } catch (error) {
    output.failure(error);
    return exitCodeOf(error);
  }
}

/** An option stands before its variable, here and in every process that is started from here. */
function setVariables(console: Console, { store, offline, log }: CommandOptions): void {
  if (store !== undefined) console.setVariable("TRANSMUTE_CACHE_DIR", store);
  if (offline) console.setVariable("TRANSMUTE_OFFLINE", "1");
  if (log !== undefined) console.setVariable("TRANSMUTE_LOG", log);
  // A command says what came of it: nothing of it goes on when it has ended.
  console.setVariable("TRANSMUTE_BACKGROUND", "off");
}

const console = openConsole();
console.exit(await runCommandLine(console));
