import { PUBLIC_PORT } from "../../config/address.ts";

/**
 * What the user can do about a failed connection.
 *
 * @param reason The message of the failure.
 * @param url What was dialed; a token stands in its query as `jwt`.
 * @returns One or two sentences; empty where there is nothing to say.
 */
export function remedyFor(reason: string, url: string): string {
  const { host, hostname, protocol, searchParams } = new URL(url);
  const tcpOnly = protocol === "ws:" || protocol === "wss:";
  if (/dns error|not known|ENOTFOUND|EAI_AGAIN|getaddrinfo/i.test(reason)) {
    return `The name ${hostname} is not known: check how it is written.`;
  }
  if (/certificate is refused|invalid peer certificate|UnknownIssuer/i.test(reason)) {
    return "The relay's certificate is not one this machine trusts, or not the one with the given hash. " +
      (tcpOnly
        ? "Name who signed it with --ca; for development write " +
          `ws://${host}/ or http://${host}/ instead.`
        : `Give its hash (curl http://${host}/certificate.sha256) with --hash, or who signed it with ` +
          `--ca; for development write http://${host}/ instead.`);
  }
  if (/no answer in time|could not be fetched|refused \(os error|nothing listens/i.test(reason)) {
    const through = tcpOnly ? "" : ", and does UDP get through to it";
    return `Is a relay running at ${host}${through}? \`qumo-relay serve\` starts one on port ${PUBLIC_PORT}.`;
  }
  if (/status 401/.test(reason)) {
    return searchParams.has("jwt")
      ? "The relay does not accept this token: another key signed it, it has expired, or it was " +
        "taken back. `qumo-relay token inspect` shows what it says."
      : `Give a token: --token TOKEN, or ${withoutQuery(url)}?jwt=TOKEN. ` +
        "`qumo-relay token sign` makes one.";
  }
  if (/status 403/.test(reason)) {
    return `The relay accepts the token, but not for ${new URL(url).pathname}: ` +
      "check the path. `qumo-relay token inspect` shows which it allows.";
  }
  if (/status 404/.test(reason)) return "Check the path of the URL: there is nothing at this one.";
  if (/status 503/.test(reason)) return "The relay is shutting down or full: try again later.";
  if (/MoQ version|protocol|speaks none|status 400/.test(reason)) {
    return "Name versions with --version, of moq-lite and of moq-transport: without it those of moq-lite are offered. " +
      "The relay's server.versions lists what it speaks.";
  }
  return "";
}

const withoutQuery = (url: string) => url.split("?")[0];
