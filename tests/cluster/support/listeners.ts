import { type Client, connect } from "../../../client/mod.ts";
import type { Site } from "./node.ts";
import { LASTING } from "./source.ts";

/** Clients that hear what is announced, one at each relay. */
export interface Listeners extends AsyncDisposable {
  /** What each was told of a path: "active", "ended", "active", … */
  told(path: string): string[][];
}

export async function listenAt(sites: readonly Site[]): Promise<Listeners> {
  const clients: Client[] = [];
  const heard: { path: string; change: string }[][] = [];
  for (const { url } of sites) {
    const client = await connect(url, LASTING);
    const list: typeof heard[number] = [];
    clients.push(client);
    heard.push(list);
    void (async () => {
      for await (const { path, active } of client.announced()) {
        list.push({ path, change: active ? "active" : "ended" });
      }
    })();
  }
  return {
    told: (path) =>
      heard.map((list) => list.filter((one) => one.path === path).map((one) => one.change)),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
