/**
 * Decides whether a client may publish, by its request alone.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";

/** What a client said in `connect` and `publish`. */
export interface PublishRequest {
  readonly app: string;
  readonly tcUrl: string;
  readonly name: string;
}

/** What it has to say. Without a key, whoever names the application may publish. */
export interface Wanted {
  readonly app: string;
  readonly key: string | undefined;
}

/**
 * Judges a request. The key is the stream's name, the name before its "?", or `key` in the query of the name, the
 * application or the address. All of them are compared, in constant time.
 * @returns Why it may not publish; `undefined` if it may.
 */
export function refusalOf(asked: PublishRequest, wanted: Wanted): string | undefined {
  const [app, appQuery] = cut(asked.app);
  const [, addressQuery] = cut(asked.tcUrl);
  const [, nameQuery] = cut(asked.name);
  // In an address of more than two parts, clients differ in where the name begins.
  const whole = `${trimmed(app)}/${asked.name.replace(/^\/+/, "")}`;
  const under = `${trimmed(wanted.app)}/`;
  if (!whole.startsWith(under)) return `it does not publish to /${trimmed(wanted.app)}`;
  if (wanted.key === undefined) return undefined;
  const rest = whole.slice(under.length);
  const given = [
    rest,
    cut(rest)[0],
    ...[nameQuery, appQuery, addressQuery].map((query) => new URLSearchParams(query).get("key")),
  ];
  const right = digestOf(wanted.key);
  let found = false;
  for (const one of given) {
    const same = timingSafeEqual(digestOf(one ?? ""), right);
    found ||= one !== null && same;
  }
  return found ? undefined : "its stream key is not the right one";
}

/** Digests have one length, whatever was given. */
const digestOf = (text: string) => createHash("sha256").update(text).digest();

const trimmed = (path: string) => path.replace(/^\/+|\/+$/g, "");

/** What is before and behind the first "?". */
function cut(text: string): [string, string] {
  const at = text.indexOf("?");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
