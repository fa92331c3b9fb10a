/** A folder in which a demonstration runs programs and shows what they print. */

/** How a program ended. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Makes such a folder, in which every program has these variables. `using` removes it. */
export function playground(name: string, variables: (folder: string) => Record<string, string>) {
  const folder = Deno.makeTempDirSync({ prefix: `transmute-${name}-` });
  const environment = { NO_COLOR: "1", ...variables(folder) };
  return {
    folder,

    /** Runs a program to its end. Whatever it prints has `…` in place of the folder. */
    async run(
      command: string,
      args: string[],
      { env = {}, cwd = folder }: { env?: Record<string, string>; cwd?: string } = {},
    ): Promise<Ran> {
      const { code, stdout, stderr } = await new Deno.Command(command, {
        args,
        cwd,
        env: { ...environment, ...env },
        stdin: "null",
      }).output();
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(folder, "…");
      return { code, stdout: decode(stdout), stderr: decode(stderr) };
    },

    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

/** Says what happens next. */
export function say(text: string): void {
  console.log(`\n▶ ${text}`);
}

/** Shows what a program printed. */
export function show(text: string): void {
  for (const line of text.trimEnd().split("\n")) if (line !== "") console.log(`  ${line}`);
}
