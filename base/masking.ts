/**
 * Hides secrets in logs, listings and answers.
 *
 * @module
 */

// Peers choose some of the texts. So repetitions are bounded where a regular expression could try again at each character.

/** Parameters of a URL's query or fragment that hold a secret. Some count by their whole name, some by a part of it. */
const SECRET_PARAMETER =
  /([?&#;](?:auth|key|pass|pwd|sig|[\w.~-]{0,64}(?:jwt|token|secret|passw(?:or)?d|passphrase|signature|credential|api[_-]?key)[\w.~-]{0,64})=)[^&#\s"']*/gi;

/** `user:password@` before a host. A password may contain "@", and if it is not percent-encoded also "/". */
const USERINFO =
  /:\/\/(?:([^\s/?#:@[]{0,255}):(?!\d{1,5}(?:[/?#\s"']|$))\S{0,2048}|[^\s/?#]{0,2048})@/g;

/** The same for an address without a scheme, if it is the whole text: "me:password@redis:6379". */
const BARE_USERINFO = /^([\w.%+~-]*):[^\s/]*@/;

/** Hides tokens in the query of a URL and the password before its host, for every URL in a text. */
export function masked(text: string): string {
  return text
    .replace(SECRET_PARAMETER, "$1***")
    // A user name without a password may be a token.
    .replace(
      USERINFO,
      (_, user?: string) => user === undefined ? "://***@" : `://${user}:***@`,
    )
    .replace(BARE_USERINFO, "$1:***@");
}

/** Names of options that hold a secret. */
const SECRET_NAME = /pass|secret|token|credential|key|jwt|authorization|cookie/i;
/** The same for numbers: a number may be a measure, as in `keyframe_interval`. */
const SECRET_NUMBER = /pass|secret|token|credential|^key$/i;

/** A value of a configuration as it may be shown: texts are masked, and everything under a secret's name is hidden. */
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
