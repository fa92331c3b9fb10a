/**
 * Loading libraries that look at the environment while they are loaded, for settings that are no
 * concern of ours: one lists all variables for those that turn on its debug output.
 *
 * @module
 */

import { runtime } from "./current.ts";

type Environment = Record<string | symbol, unknown>;

/**
 * Loads something while variables that this program may not read look unset.
 *
 * In Deno every variable wants a permission, and a library would fail for lack of it. Nothing else
 * changes: who reads or sets a variable meanwhile gets and sets the real one.
 */
export async function withQuietEnvironment<T>(load: () => Promise<T>): Promise<T> {
  if (runtime.name !== "deno") return await load();
  const { process } = globalThis as unknown as { process: { env: Environment } };
  const { env } = process;
  // Asked for beforehand: on a terminal, Deno would ask the user instead of failing.
  const mayRead = (variable?: string) =>
    Deno.permissions.querySync({ name: "env", ...(variable === undefined ? {} : { variable }) })
      .state === "granted";
  const isOpen = (name: string | symbol) => typeof name === "symbol" || mayRead(name);
  process.env = new Proxy<Environment>({}, {
    get: (_target, name) => isOpen(name) ? env[name] : undefined,
    has: (_target, name) => isOpen(name) && name in env,
    set: (_target, name, value) => Reflect.set(env, name, value),
    deleteProperty: (_target, name) => !isOpen(name) || Reflect.deleteProperty(env, name),
    ownKeys: () => mayRead() ? Reflect.ownKeys(env) : [],
    getOwnPropertyDescriptor: (_target, name) =>
      isOpen(name) ? Reflect.getOwnPropertyDescriptor(env, name) : undefined,
  });
  try {
    return await load();
  } finally {
    process.env = env;
  }
}
