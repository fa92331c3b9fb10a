/**
 * Connections that some work began and did not get through with.
 *
 * Node's `fetch` gives up a request when it is told to, but not the connection that the request
 * waits for: to an address that does not answer, it keeps the whole program alive for ten seconds
 * and more. Deno and Bun end such connections with the request.
 *
 * @module
 */

import { runtime } from "./current.ts";

type NodeNet = typeof import("node:net");
type NodeAsyncHooks = typeof import("node:async_hooks");
type NodeSocket = InstanceType<NodeNet["Socket"]>;

/** The connections of one piece of work. */
export interface Connections {
  /** Does the work; what it connects to is noted. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Lets the program end though some of them have not been answered. */
  letGo(): void;
}

let noted: InstanceType<NodeAsyncHooks["AsyncLocalStorage"]> | undefined;

/** Watches connections from here on. */
export async function watchConnections(): Promise<Connections> {
  if (runtime.name !== "node") return { run: (work) => work(), letGo() {} };
  noted ??= await noteConnections();
  const own: NodeSocket[] = [];
  return {
    run: <T>(work: () => Promise<T>) => noted!.run(own, work) as Promise<T>,
    letGo() {
      for (const socket of own) {
        // Until it is made, a connection cannot be let go of but by ending it.
        if (socket.connecting) socket.destroy();
        else if (socket.bytesRead === 0) socket.unref();
      }
    },
  };
}

/** From here on, whoever connects within a list's context is added to the list. */
async function noteConnections() {
  const { AsyncLocalStorage } = await runtime.builtin<NodeAsyncHooks>("async_hooks");
  const { Socket } = await runtime.builtin<NodeNet>("net");
  const context = new AsyncLocalStorage<NodeSocket[]>();
  // Node tells of connections only when they are made, and of encrypted ones not even then.
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function (this: NodeSocket, ...given: unknown[]) {
    context.getStore()?.push(this);
    return Reflect.apply(connect, this, given);
  } as typeof connect;
  return context as NonNullable<typeof noted>;
}
