/**
 * Who has access without a token, to the public address and to the admin interface.
 *
 * @module
 */
import { formatAddress, isLoopback } from "./address.ts";
import type { LoadedConfig } from "./load.ts";
import type { Problem } from "./problems.ts";
import type { Config } from "./schema.ts";

/** The setting that refuses clients without a token. */
export const CLOSING_LINE = "auth: { required: true }";

/** Whether a client without a token may publish and watch everything. */
export function openToAll(auth: Config["auth"]): boolean {
  return auth.anonymous || !restricts(auth);
}

function restricts(auth: Config["auth"]): boolean {
  return auth.required || opens(auth);
}

/** Whether any setting decides who has access. */
function opens(auth: Config["auth"]): boolean {
  const { keyFile, keyDir, jwksUrl, serverUrl, publicPublish, publicSubscribe } = auth;
  return [keyFile, keyDir, jwksUrl, serverUrl].some((source) => source !== undefined) ||
    publicPublish.length + publicSubscribe.length > 0;
}

/**
 * Whether other machines have full access without a token, and no setting asks for that. The server runs and warns about
 * it.
 */
export function openUnasked({ server, auth }: Pick<Config, "server" | "auth">): boolean {
  return !auth.anonymous && !restricts(auth) && !isLoopback(server.address.hostname);
}

/** A warning about who has access; `undefined` when there is none. */
export function accessWarning(config: Pick<Config, "server" | "auth">): string | undefined {
  const { server: { address }, auth } = config;
  if (auth.anonymous) {
    return "anonymous: everybody who reaches this server may publish and watch (auth.anonymous)";
  }
  if (openUnasked(config)) {
    return `OPEN TO EVERYBODY: whoever reaches ${formatAddress(address)} may publish and watch ` +
      "everything, without a token.\n" +
      `To close it, write this line in the configuration:  ${CLOSING_LINE}\n` +
      "(or --auth.required true; docs/auth.md shows how to give tokens out). " +
      "To keep it open:  auth: { anonymous: true }";
  }
  if (!restricts(auth)) {
    return "open: every program on this machine may publish and watch, without a token";
  }
  if (opens(auth)) return undefined;
  return "nobody can come in: auth.required is set, and no keys are named to check tokens with " +
    "(auth.key_file, see `qumo-relay help token`)";
}

/** Problems that keep a server from starting: other machines reach the admin interface without a token. */
export function exposuresOf({ config: { admin }, settings }: LoadedConfig): Problem[] {
  const { address, token, tokenFile, anonymous } = admin;
  if (address === undefined || isLoopback(address.hostname)) return [];
  if (anonymous || token !== undefined || tokenFile !== undefined) return [];
  return [{
    origin: settings.find(({ setting }) => setting.path === "admin.address")!.origin,
    path: "admin.address",
    message:
      `${formatAddress(address)} can be reached by others, and shows every session. Ask for a ` +
      "token (admin.token_file, or QUMO_ADMIN_TOKEN), let everybody read (--admin.anonymous true), " +
      `or stay on this machine (--admin.address 127.0.0.1:${address.port})`,
  }];
}

/**
 * Problems that keep a reload from being applied: it would give everybody access to a server that asked for tokens before,
 * without an explicit setting. A file that is being written is empty for a moment.
 */
export function openingOf(used: Config, read: LoadedConfig): Problem[] {
  if (openToAll(used.auth) || openToAll(read.config.auth) === read.config.auth.anonymous) return [];
  return [{
    origin: { kind: "default" },
    path: "auth",
    message: "the running server asks for tokens, and nothing is said of auth any more. Write " +
      "auth: { anonymous: true } to give everybody access, or start the server anew",
  }];
}
