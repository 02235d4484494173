/**
 * Two network namespaces joined by a cable, so that packets really come from elsewhere: for tests of what the kernel does
 * with them.
 *
 * @module
 */

/** Whether this machine lets us make namespaces; says why not. */
export function mayMakeNamespaces(): boolean {
  const name = `qumo-try-${Deno.pid}`;
  const why = Deno.build.os !== "linux"
    ? "network namespaces are Linux's"
    : Deno.uid() !== 0
    ? "network namespaces need root"
    : tried(name);
  if (why === undefined) return true;
  Deno.stderr.writeSync(new TextEncoder().encode(`skipping tests: ${why}\n`));
  return false;
}

function tried(name: string): string | undefined {
  const ip = (...args: string[]) => new Deno.Command("ip", { args }).outputSync();
  const { success, stderr } = ip("netns", "add", name);
  if (success) ip("netns", "del", name);
  return success ? undefined : `ip netns add: ${new TextDecoder().decode(stderr).trim()}`;
}

/** `server` is 10.77.0.1 and fd77::1, `client` 10.77.0.2 and fd77::2. Removed when it goes out of scope. */
export interface Namespaces extends AsyncDisposable {
  readonly server: string;
  readonly client: string;
}

export async function namespaces(): Promise<Namespaces> {
  const server = `qumo-s-${Deno.pid}`;
  const client = `qumo-c-${Deno.pid}`;
  const made = {
    server,
    client,
    async [Symbol.asyncDispose]() {
      for (const name of [server, client]) await ip("netns", "del", name).catch(() => {});
    },
  };
  try {
    for (const name of [server, client]) await ip("netns", "add", name);
    const ends = ["link", "add", "v0", "netns", server, "type", "veth", "peer", "name", "v0"];
    await ip(...ends, "netns", client);
    for (const [name, host] of [[server, 1], [client, 2]] as const) {
      await ip("-n", name, "addr", "add", `10.77.0.${host}/24`, "dev", "v0");
      await ip("-n", name, "addr", "add", `fd77::${host}/64`, "dev", "v0", "nodad");
      for (const link of ["lo", "v0"]) await ip("-n", name, "link", "set", link, "up");
    }
    return made;
  } catch (error) {
    await made[Symbol.asyncDispose]();
    throw error;
  }
}

/** A network namespace with nothing in it but its own loopback interface, where every port is free. */
export interface LoneNamespace extends AsyncDisposable {
  readonly name: string;
}

let made = 0;

export async function loneNamespace(): Promise<LoneNamespace> {
  const name = `qumo-l-${Deno.pid}-${made++}`;
  await ip("netns", "add", name);
  await ip("-n", name, "link", "set", "lo", "up");
  return { name, [Symbol.asyncDispose]: () => ip("netns", "del", name) };
}

async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args }).output();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
