/**
 * Where a plugin waits for publishers, and the key that keeps strangers out. Tokens of the relay do not count here.
 *
 * @module
 */
import { type Address, formatAddress, isLoopback } from "../../config/address.ts";
import { flag, optionalListen } from "../../config/fields.ts";
import type { OptionProblem } from "../errors.ts";

/** The options `listen` and `anonymous`. @param keyName The option that holds the key. */
export function listenOptions(port: number, carrier: "TCP" | "UDP", keyName: string) {
  return {
    listen: optionalListen(
      `Where publishers connect, over ${carrier}; one at a time. Without it 0.0.0.0:${port} when \`${keyName}\` is set, ` +
        `else 127.0.0.1:${port}.`,
      { example: `0.0.0.0:${port}`, unset: `0.0.0.0:${port} with \`${keyName}\`, else loopback` },
    ),
    anonymous: flag(
      false,
      `Whether an address that others reach may be used without \`${keyName}\`: everybody may publish then.`,
    ),
  };
}

interface Listening {
  readonly listen: Address | undefined;
  readonly anonymous: boolean;
}

/** The address to listen on. @param key `undefined` when everybody may publish. */
export function listenAddress(
  { listen }: Listening,
  port: number,
  key: string | undefined,
): Address {
  return listen ?? { hostname: key === undefined ? "127.0.0.1" : "0.0.0.0", port };
}

/** Refuses an address that others can reach, where nothing keeps them from publishing. */
export function listenProblems(
  { listen, anonymous }: Listening,
  keyName: string,
  key: string | undefined,
): OptionProblem[] {
  const alone = listen === undefined || isLoopback(listen.hostname);
  if (alone || anonymous || key !== undefined) return [];
  return [{
    path: ["listen"],
    message:
      `${
        formatAddress(listen)
      } can be reached by others, and everybody could publish there: set ${keyName}, stay on ` +
      `127.0.0.1:${listen.port}, or let everybody publish (anonymous: true)`,
  }];
}
