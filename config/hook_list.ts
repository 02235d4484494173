/**
 * The list under `hooks:`. A hook is told of events, by a webhook or a command.
 *
 * @module
 */
import type { Node } from "yaml";
import { z } from "zod";
import { complaint } from "./complaint.ts";
import {
  broadcasts,
  duration,
  filePath,
  integer,
  notes,
  optionalUrl,
  secret,
  someOf,
} from "./fields.ts";
import { type Entry, type NodeReader, readNamedList } from "./named_list.ts";
import type { Origin } from "./problems.ts";

export const HOOK_EVENTS = [
  "publish",
  "unpublish",
  "first_viewer",
  "last_viewer",
  "recording_done",
] as const;
export type HookEventName = (typeof HOOK_EVENTS)[number];

const ARGV = z.array(z.string().refine((part) => !part.includes("\0"))).min(1)
  .refine((argv) => argv[0] !== "").optional()
  .describe("Program and arguments, each as they are: no shell takes part.")
  .register(notes, {
    expects: "a list of texts, the program first",
    example: '["/usr/local/bin/on-air", "--quiet"]',
  });

/** The keys of an entry besides its name. */
export const HOOK_OPTIONS = {
  url: optionalUrl(["https", "http"], "Webhook: where each event is sent by POST, as JSON."),
  secret: secret("Webhook: what requests are signed with (HMAC-SHA256).", { example: "9f2c…" }),
  secret_file: filePath(
    "Webhook: file with that secret, instead of `secret`. It is read for every request.",
    { example: "/etc/qumo-relay/hook.secret" },
  ),
  command: ARGV,
  events: someOf(HOOK_EVENTS, "What it is told of."),
  broadcasts: broadcasts("Of which broadcasts.", ["**"]),
  timeout: duration(
    { min: "100ms", max: "10m", byDefault: "10s" },
    "How long one request may take, or a command may run; it is killed then.",
  ),
  retries: integer(
    { min: 0, max: 20, byDefault: 5 },
    "Webhook: how often a request that failed is made again. A command is run once.",
  ),
  backoff_min: duration(
    { min: "10ms", max: "1h", byDefault: "1s" },
    "Webhook: pause before the first retry. It doubles; half of it at most is left out by chance.",
  ),
  backoff_max: duration(
    { min: "10ms", max: "1h", byDefault: "1m" },
    "Webhook: longest pause before a retry.",
  ),
  concurrency: integer(
    { min: 1, max: 64, byDefault: 4 },
    "Most requests under way, or commands that run, at once. Events of one broadcast go one after another.",
  ),
  max_rate: integer(
    { min: 1, max: 10_000, byDefault: 20 },
    "Most events that are begun per second.",
  ),
  max_waiting: integer(
    { min: 1, max: 100_000, byDefault: 1_000 },
    "Most events that wait, over all broadcasts; what comes then is dropped and counted.",
  ),
  viewer_linger: duration(
    { min: "0s", max: "1h", byDefault: "5s" },
    "How long a broadcast has no viewer before `last_viewer`: one that reconnects is no event.",
  ),
};

type Given = { readonly [K in keyof typeof HOOK_OPTIONS]: z.output<(typeof HOOK_OPTIONS)[K]> };

/** One entry of the list. Durations are in milliseconds. */
export interface HookConfig {
  /** Unique in the file. */
  readonly name: string;
  /** A webhook has a `url` and one of `secret` and `secretFile`; otherwise there is a `command`. */
  readonly url: string | undefined;
  readonly secret: string | undefined;
  readonly secretFile: string | undefined;
  readonly command: readonly string[] | undefined;
  readonly events: readonly HookEventName[];
  readonly broadcasts: readonly string[];
  readonly timeoutMs: number;
  readonly retries: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly concurrency: number;
  /** Per second. */
  readonly maxRate: number;
  readonly maxWaiting: number;
  readonly viewerLingerMs: number;
}

/** An entry, and the places of its keys. */
export interface PlacedHook {
  readonly hook: HookConfig;
  /** How it is called in messages: "hooks.0". */
  readonly path: string;
  readonly origin: (key?: string) => Origin;
}

/** Reads the list under `hooks:`. Problems are reported, and wrong entries are left out. */
export function readHookList(node: Node, reader: NodeReader): PlacedHook[] {
  return readNamedList(
    node,
    reader,
    {
      key: "hooks",
      entries: "hooks",
      map: "name and url or command",
      named: "logs, metrics and the API call it",
      keys: ["name", ...Object.keys(HOOK_OPTIONS)],
    },
    readHook,
  );
}

function readHook(entry: Entry, name: string | undefined): PlacedHook | undefined {
  const { map, nodes, path, reader } = entry;
  const wrong = entry.wrong.bind(entry);
  const options: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(HOOK_OPTIONS)) {
    const node = nodes.get(key);
    const value = node === undefined ? undefined : reader.valueOf(node);
    const result = schema.safeParse(value);
    if (result.success) options[key] = result.data;
    else wrong(node ?? map, key, complaint(notes.get(schema as never)!, schema, value));
  }
  if (!entry.good || name === undefined) return undefined;
  const given = options as Given;
  const at = (key: string) => nodes.get(key) ?? map;
  if ((given.url === undefined) === (given.command === undefined)) {
    const key = given.url === undefined ? "" : "command";
    wrong(at("command"), key, "needs one of `url`, for a webhook, and `command`");
  } else if (given.url !== undefined) {
    if ((given.secret === undefined) === (given.secret_file === undefined)) {
      const say = "a webhook needs one of `secret` and `secret_file`: requests are signed with it";
      wrong(at("url"), "secret", say);
    }
  } else {
    for (const key of ["secret", "secret_file", "retries", "backoff_min", "backoff_max"]) {
      const node = nodes.get(key);
      if (node !== undefined) wrong(node, key, "is for a webhook; leave it out");
    }
  }
  if (given.backoff_min > given.backoff_max) {
    wrong(at("backoff_min"), "backoff_min", "must not exceed backoff_max");
  }
  if (!entry.good) return undefined;
  return {
    hook: {
      name,
      url: given.url,
      secret: given.secret,
      secretFile: given.secret_file,
      command: given.command,
      events: given.events,
      broadcasts: given.broadcasts,
      timeoutMs: given.timeout,
      retries: given.retries,
      backoffMinMs: given.backoff_min,
      backoffMaxMs: given.backoff_max,
      concurrency: given.concurrency,
      maxRate: given.max_rate,
      maxWaiting: given.max_waiting,
      viewerLingerMs: given.viewer_linger,
    },
    path,
    origin: (key) => reader.at((key === undefined ? undefined : nodes.get(key)) ?? map),
  };
}
