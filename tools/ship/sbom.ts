/**
 * Writes dist/qumo-relay.cdx.json, a CycloneDX 1.6 bill of materials: what the program ships besides its own code. It lists,
 * from deno.lock, the packages that the program and its page import, and their dependencies.
 */
import { VERSION } from "../../base/version.ts";
import { type Module, reachable, readModules, ROOT } from "../module_graph.ts";
import { say } from "../say.ts";

/** The part of deno.lock that is read here. Keys are "name@version", perhaps with "_" and the peers it was resolved with. */
export interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<
    Record<string, { readonly integrity?: string; readonly dependencies?: readonly string[] }>
  >;
}

interface Component {
  readonly type: "library" | "application" | "platform";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

const OWN = "qumo-relay";

/**
 * The bill of materials.
 * @param roots Packages that are imported, as deno.json names them: "hono".
 * @throws {Error} deno.lock does not know one of them.
 */
export function billOfMaterials(lock: Lock, roots: readonly string[]) {
  const components = new Map<string, Component>();
  const dependencies = new Map<string, Set<string>>();
  const queue = roots.map((name) => keyOfRoot(lock, name));
  const top = new Set(queue.map(purlOf));
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const purl = purlOf(key);
    const { integrity, dependencies: names = [] } = lock.npm[key]!;
    const keys = names.map((name) => keyOf(lock, name)).filter((k) => k !== undefined);
    const known = components.has(purl);
    if (!known) components.set(purl, { ...named(key), ...hashesOf(integrity) });
    const before = dependencies.get(purl) ?? new Set();
    dependencies.set(purl, new Set([...before, ...keys.map(purlOf)]));
    queue.push(...keys.filter((k) => !dependencies.has(purlOf(k))));
  }
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": OWN, name: OWN, version: VERSION },
    },
    components: [...components.values()].sort((a, b) => a["bom-ref"] < b["bom-ref"] ? -1 : 1),
    dependencies: [
      { ref: OWN, dependsOn: [...top].sort() },
      ...[...dependencies].map(([ref, on]) => ({ ref, dependsOn: [...on].sort() })).sort((a, b) =>
        a.ref < b.ref ? -1 : 1
      ),
    ],
  };
}

function keyOfRoot({ specifiers, npm }: Lock, name: string): string {
  const found = Object.entries(specifiers).find(([s]) => nameOf(s.replace(/^npm:/, "")) === name);
  const key = `${name}@${found?.[1]}`;
  if (npm[key] === undefined) throw new Error(`deno.lock does not know ${name}`);
  return key;
}

/** A dependency is named by its whole key, or by its name alone if that is unique. An optional one of another system is absent. */
function keyOf({ npm }: Lock, name: string): string | undefined {
  return npm[name] ? name : Object.keys(npm).find((key) => nameOf(key) === name);
}

const nameOf = (key: string) => key.slice(0, key.indexOf("@", 1));
const versionOf = (key: string) => key.slice(nameOf(key).length + 1).split("_")[0]!;
const purlOf = (key: string) => `pkg:npm/${nameOf(key).replace("@", "%40")}@${versionOf(key)}`;

function named(key: string): Component {
  const purl = purlOf(key);
  return { type: "library", "bom-ref": purl, name: nameOf(key), version: versionOf(key), purl };
}

function hashesOf(integrity = ""): Pick<Component, "hashes"> {
  const [, base64] = /^sha512-(.+)$/.exec(integrity) ?? [];
  if (base64 === undefined) return {};
  return { hashes: [{ alg: "SHA-512", content: Uint8Array.fromBase64(base64).toHex() }] };
}

/** The packages that the program and its page import. */
export function shippedPackages(modules: readonly Module[]): string[] {
  const names = reachable(modules, ["main.ts", "web/page.tsx"]).flatMap(({ packages }) => packages)
    .filter((name) => !name.startsWith("node:"))
    .map((name) => name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/"));
  return [...new Set(names)].sort();
}

if (import.meta.main) {
  const lock: Lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`));
  const bill = billOfMaterials(lock, shippedPackages(await readModules()));
  const path = `${ROOT}dist/qumo-relay.cdx.json`;
  await Deno.mkdir(`${ROOT}dist`, { recursive: true });
  await Deno.writeTextFile(path, `${JSON.stringify(bill, null, 2)}\n`);
  say(`dist/qumo-relay.cdx.json: ${bill.components.length} packages`);
}
