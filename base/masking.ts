/**
 * Hides what nobody should read in a log, a listing or an answer. The one home for it.
 *
 * @module
 */

// Peers choose some of the texts: every repetition is bounded where it could be tried again from the next character.

/** Parameters of a URL's query or fragment that hold a secret: whole names, or a part of a name. */
const SECRET_PARAMETER =
  /([?&#;](?:auth|key|pass|pwd|sig|[\w.~-]{0,64}(?:jwt|token|secret|passw(?:or)?d|passphrase|signature|credential|api[_-]?key)[\w.~-]{0,64})=)[^&#\s"']*/gi;

/** `user:password@` before a host. A password may hold an "@" itself, and one without percent-encoding even a "/". */
const USERINFO =
  /:\/\/(?:([^\s/?#:@[]{0,255}):(?!\d{1,5}(?:[/?#\s"']|$))\S{0,2048}|[^\s/?#]{0,2048})@/g;

/** The same of an address without a scheme, which has to stand alone: "me:password@redis:6379". */
const BARE_USERINFO = /^([\w.%+~-]*):[^\s/]*@/;

/** Hides tokens in a URL's query and the password before its host, wherever they stand in a text. */
export function masked(text: string): string {
  return text
    .replace(SECRET_PARAMETER, "$1***")
    // A name alone may be a token too.
    .replace(
      USERINFO,
      (_, user?: string) => user === undefined ? "://***@" : `://${user}:***@`,
    )
    .replace(BARE_USERINFO, "$1:***@");
}

/** Names under which an option holds a secret. */
const SECRET_NAME = /pass|secret|token|credential|key|jwt|authorization|cookie/i;
/** The same where the value is a number, which a measure may be: `keyframe_interval`. */
const SECRET_NUMBER = /pass|secret|token|credential|^key$/i;

/** A value of a configuration as it may be shown: texts masked, and what stands below a name of a secret hidden. */
export function withoutSecrets(value: unknown, name = ""): unknown {
  switch (typeof value) {
    case "string":
      return SECRET_NAME.test(name) && value !== "" ? "***" : masked(value);
    case "number":
    case "bigint":
      return SECRET_NUMBER.test(name) ? "***" : value;
  }
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, name));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      withoutSecrets(item, SECRET_NAME.test(name) ? `${name}.${key}` : key),
    ]),
  );
}
