/**
 * Reads and compares the answers of an auth server.
 *
 * @module
 */
import { normalizePath } from "../../wire/path.ts";
import { isFields } from "./claims.ts";
import type { Grant } from "./grant.ts";
import { allContained, compacted, Pattern } from "../../wire/path_pattern.ts";

/** A good answer. */
export interface Answer {
  readonly grant: Grant;
  /** When to ask again, in milliseconds from now. */
  readonly revalidateMs: number | undefined;
}

/** @returns `undefined` when nothing is granted. @throws What is wrong with the answer. */
export function answerOf(text: string, path: string): Answer | undefined {
  const json: unknown = JSON.parse(text);
  if (!isFields(json)) throw new Error("the answer is no JSON object");
  const { root, expires, revalidate, peer = false } = json;
  if (typeof peer !== "boolean") throw new Error('its "peer" is neither true nor false');
  if (root !== undefined && typeof root !== "string") throw new Error('its "root" is no text');
  const grant = {
    root: normalizePath(root ?? path),
    publish: patternsOf(json["publish"]),
    subscribe: patternsOf(json["subscribe"]),
    ...(peer ? { peer } : {}),
  };
  if (grant.publish.length + grant.subscribe.length === 0) return undefined;
  if (expires !== undefined && typeof expires !== "number") {
    throw new Error('its "expires" is no number of seconds');
  }
  const asksAgain = typeof revalidate === "number" && revalidate > 0;
  if (revalidate !== undefined && !(asksAgain && expires !== undefined)) {
    throw new Error('its "revalidate" is no positive number, or stands without "expires"');
  }
  return {
    grant: expires === undefined ? grant : { ...grant, expiresAtMs: expires * 1000 },
    revalidateMs: asksAgain ? revalidate * 1000 : undefined,
  };
}

function patternsOf(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((text) => typeof text === "string")) {
    throw new Error("its patterns are no list of texts");
  }
  return compacted(value.map((text: string) => Pattern.parse(text))).map(String);
}

/** Whether a session may go on unchanged under the new grant. */
export function covers(now: Grant, before: Grant): boolean {
  return (["publish", "subscribe"] as const).every((role) =>
    allContained(now[role].map(Pattern.parse), before[role].map(Pattern.parse))
  );
}
