/**
 * Reads nodes from what others have written: URLs, lists of them, JSON. Whoever writes a directory is not trusted with more
 * than to name nodes, and what it says is bounded.
 *
 * @module
 */
import { QumoError, reasonOf } from "../../../base/errors.ts";
import { masked } from "../../../base/masking.ts";
import { inSentence, visible } from "../../../base/visible_text.ts";
import type { NodeInfo, NodeLoad } from "../node_info.ts";

/** Most nodes that a directory may name. */
export const MAX_NODES = 10_000;
/** Longest list, in bytes. */
export const MAX_LIST_BYTES = 4 << 20;
const MAX_URL = 1024;
const MAX_NAME = 128;
const MAX_COST = 1_000_000;
const SCHEMES = ["https:", "http:", "moqt:", "moql:"];

/** A directory names a node in a way that cannot be used. The message has no token. */
export class BadNode extends QumoError {
  readonly code = "QUMO_CLUSTER_NODE";
}

/**
 * A node from its URL. `?cost=N` and `?region=NAME` are taken off, `?hash=…` stays. The URL is in its normal form: two that
 * mean the same are the same text.
 * @throws {BadNode}
 */
export function nodeOfUrl(text: string): NodeInfo {
  const shown = inSentence(masked(text.slice(0, 200).replace(/[?#].*/s, "")));
  const bad = (why: string) => new BadNode(`${shown} is no node: ${why}`);
  if (text.length > MAX_URL) throw bad(`a URL has ${MAX_URL} characters at most`);
  const url = URL.parse(text.trim());
  if (url === null || !SCHEMES.includes(url.protocol) || url.hostname === "") {
    throw bad("write a URL with https://, http://, moqt:// or moql://");
  }
  if (url.username !== "" || url.password !== "") throw bad("a user has no place in it");
  const { searchParams: query } = url;
  const cost = query.get("cost");
  const region = query.get("region");
  if (cost !== null && !(/^\d{1,7}$/.test(cost) && Number(cost) <= MAX_COST)) {
    throw bad(`its cost is no whole number up to ${MAX_COST}`);
  }
  if (region !== null && !isName(region)) throw bad("its region is no name");
  for (const name of ["cost", "region"]) query.delete(name);
  if ([...query.keys()].some((name) => name !== "hash")) {
    throw bad("its query may have cost, region and hash; a token belongs in cluster.token_file");
  }
  url.hash = "";
  return {
    url: normal(url),
    ...(region === null ? {} : { region }),
    ...(cost === null ? {} : { cost: Number(cost) }),
  };
}

/** URL parsers leave the host of a scheme that they do not know as it was written. */
function normal(url: URL): string {
  const { protocol, host, pathname, search } = url;
  return `${protocol}//${host.toLowerCase()}${pathname === "" ? "/" : pathname}${search}`;
}

/** The nodes of a list: one URL in each line, where `#` begins a remark, or a JSON array of URLs or nodes. @throws {BadNode} Then the whole list is of no use. */
export function nodesOfText(text: string): NodeInfo[] {
  const entries = text.trimStart().startsWith("[") ? arrayOf(text) : linesOf(text);
  if (entries.length > MAX_NODES) throw new BadNode(`it has more than ${MAX_NODES} nodes`);
  return entries.map((entry) => typeof entry === "string" ? nodeOfUrl(entry) : nodeOfJson(entry));
}

function arrayOf(text: string): unknown[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new BadNode(`it is no whole JSON array: ${reasonOf(cause).slice(0, 100)}`, { cause });
  }
  return json as unknown[]; // it begins with a bracket
}

function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/(^|\s)#.*/, "").trim());
  const urls = lines.filter((line) => line !== "");
  if (urls.length > 0) return urls;
  throw new BadNode("it is empty; a list without nodes is []");
}

/** A node from plain data. Fields that it does not know are left out. @throws {BadNode} */
export function nodeOfJson(json: unknown): NodeInfo {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new BadNode("it has an entry that is neither a URL nor an object");
  }
  const fields = json as Readonly<Record<string, unknown>>;
  const { url, hop, region, version, load, capacity, draining, cost } = fields;
  if (typeof url !== "string") throw new BadNode('it has an entry without "url"');
  const node = nodeOfUrl(url);
  const bad = (name: string) => new BadNode(`the node ${node.url} has a "${name}" of no use`);
  if (hop !== undefined && !isHop(hop)) throw bad("hop");
  if (region !== undefined && !isName(region)) throw bad("region");
  if (version !== undefined && !isName(version)) throw bad("version");
  if (draining !== undefined && typeof draining !== "boolean") throw bad("draining");
  if (cost !== undefined && !(Number.isInteger(cost) && isAmount(cost) && cost <= MAX_COST)) {
    throw bad("cost");
  }
  const amounts = (name: string, value: unknown): Partial<NodeLoad> => {
    if (typeof value !== "object" || value === null) throw bad(name);
    const { sessions, mbps, cpu } = value as Readonly<Record<string, unknown>>;
    const given = Object.entries({ sessions, mbps, cpu }).filter(([, one]) => one !== undefined);
    if (!given.every(([, one]) => isAmount(one))) throw bad(name);
    return Object.fromEntries(given);
  };
  return {
    ...node,
    ...(hop === undefined ? {} : { hop }),
    ...(region === undefined ? {} : { region }),
    ...(version === undefined ? {} : { version }),
    ...(load === undefined
      ? {}
      : { load: { sessions: 0, mbps: 0, cpu: 0, ...amounts("load", load) } }),
    ...(capacity === undefined ? {} : { capacity: amounts("capacity", capacity) }),
    ...(draining === undefined ? {} : { draining }),
    ...(cost === undefined ? {} : { cost }),
  };
}

/** A short text that looks like what it is. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_NAME &&
    visible(value) === value;
}

/** A hop id in decimal digits: 1 to 2^62-1. */
function isHop(value: unknown): value is string {
  return typeof value === "string" && /^[1-9]\d{0,18}$/.test(value) && BigInt(value) < 2n ** 62n;
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1e9;
}
