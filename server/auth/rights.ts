/**
 * Applies a grant: what its session sees of the origin.
 *
 * @module
 */
import { type Namespace, type Rights, ScopedOrigin } from "../../relay/namespace.ts";
import type { Origin } from "../../relay/origin.ts";
import type { Entry } from "../../session/session.ts";
import { stripPrefix } from "../../wire/path.ts";
import type { Grant } from "./grant.ts";
import { Pattern } from "../../wire/path_pattern.ts";

/** The entry of a session with this grant. The session keeps all its paths below the grant's root. */
export function entryOf(origin: Origin, { root, publish, subscribe }: Grant): Entry {
  const all = (patterns: readonly string[]) => patterns.includes("**");
  const scoped = all(publish) && all(subscribe) ? origin : new ScopedOrigin(origin, {
    mayPublish: matcher(root, publish),
    maySubscribe: matcher(root, subscribe),
    subscribesBelow: (prefix) => below(root, subscribe, prefix),
  });
  const part = (patterns: readonly string[]): Namespace | undefined =>
    patterns.length === 0 ? undefined : all(patterns) ? origin : scoped;
  return { root, serve: part(subscribe), consume: part(publish) };
}

/** Whether a grant allows to subscribe at an absolute path. */
export function maySubscribe({ root, subscribe }: Grant, path: string): boolean {
  return matcher(root, subscribe)(path);
}

/** Whether a grant allows to publish at an absolute path. */
export function mayPublish({ root, publish }: Grant, path: string): boolean {
  return matcher(root, publish)(path);
}

/** How much of what is below a prefix matches. */
function below(
  root: string,
  texts: readonly string[],
  prefix: string,
): ReturnType<Rights["subscribesBelow"]> {
  const within = stripPrefix(prefix, root);
  if (within === undefined) {
    return stripPrefix(root, prefix) === undefined || texts.length === 0 ? "nothing" : "some";
  }
  const left = texts.flatMap((text) => Pattern.parse(text).below(within)).map(String);
  return left.includes("**") ? "all" : left.length > 0 ? "some" : "nothing";
}

function matcher(root: string, texts: readonly string[]): (path: string) => boolean {
  const patterns = texts.map((text) => Pattern.parse(text));
  return (path) => {
    const below = stripPrefix(path, root);
    return below !== undefined && patterns.some((pattern) => pattern.matches(below));
  };
}
