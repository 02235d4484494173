import { formatAddress, isLoopback } from "./address.ts";
import type { LoadedConfig } from "./load.ts";
import type { Problem } from "./problems.ts";
import type { Config } from "./schema.ts";

/** Whether who brings no token may do everything: it is said so, or nothing is said at all. */
export function openToAll(auth: Config["auth"]): boolean {
  return auth.anonymous || !restricts(auth);
}

function restricts(auth: Config["auth"]): boolean {
  const { keyFile, keyDir, jwksUrl, serverUrl, publicPublish, publicSubscribe } = auth;
  return [keyFile, keyDir, jwksUrl, serverUrl].some((source) => source !== undefined) ||
    publicPublish.length + publicSubscribe.length > 0;
}

/**
 * What stands against listening: addresses that others reach, and nothing that says who may come in. Beside the other
 * checks, because it is only wrong for who really listens.
 */
export function exposuresOf(loaded: LoadedConfig): Problem[] {
  return [exposureOf(loaded), adminExposureOf(loaded)].filter((found) => found !== undefined);
}

function adminExposureOf({ config: { admin }, settings }: LoadedConfig): Problem | undefined {
  const { address, token, tokenFile, anonymous } = admin;
  if (address === undefined || isLoopback(address.hostname)) return undefined;
  if (anonymous || token !== undefined || tokenFile !== undefined) return undefined;
  return {
    origin: originOf(settings, "admin.address"),
    path: "admin.address",
    message:
      `${
        formatAddress(address)
      } can be reached by others, and shows every session. Ask for a token ` +
      "(admin.token_file, or QUMO_ADMIN_TOKEN), let everybody read (--admin.anonymous true), or stay on " +
      `this machine (--admin.address 127.0.0.1:${address.port})`,
  };
}

const originOf = (settings: LoadedConfig["settings"], path: string) =>
  settings.find(({ setting }) => setting.path === path)!.origin;

function exposureOf({ config, settings }: LoadedConfig): Problem | undefined {
  const { server: { address }, auth } = config;
  if (auth.anonymous || restricts(auth) || isLoopback(address.hostname)) return undefined;
  return {
    origin: originOf(settings, "server.address"),
    path: "server.address",
    message:
      `${formatAddress(address)} can be reached by others, and nothing says who may publish ` +
      "and watch. Give tokens out (auth.key_file, see `qumo-relay help token`), open some paths " +
      "(auth.public_subscribe, auth.public_publish), let everybody in (--auth.anonymous true), or " +
      `stay on this machine (--server.address 127.0.0.1:${address.port})`,
  };
}
