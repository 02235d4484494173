import { ALGORITHM_NAMES } from "../../server/auth/keys/key.ts";
import { type FlagTable, switchFlag, textFlag } from "../shell/args.ts";

/** Flags of all the actions of `token`. */
export const FLAGS = {
  key: textFlag("FILE", 'sign, verify: the key; "-" for standard input.'),
  root: textFlag(
    "PATH",
    "What the paths of --publish and --subscribe are below; all paths if not given.",
  ),
  publish: textFlag(
    "PATH",
    'May publish PATH and what is below it ("" is everything); with a * in it, a pattern. May stand several times.',
  ),
  subscribe: textFlag("PATH", "May watch, in the same way."),
  ttl: textFlag("DURATION", "sign: ends that long from now, like 1h or 30d."),
  expires: textFlag("UNIX", "sign: ends then, in seconds since 1970."),
  issued: textFlag("UNIX", "sign: was made then, in seconds since 1970; now if not given."),
  jti: textFlag("NAME", "sign: names the token, so that it can be revoked."),
  sub: textFlag("NAME", "sign: whose token it is."),
  peer: switchFlag("sign: for a node of the cluster. generate: the key may sign such tokens."),
  in: textFlag("FILE", "verify, inspect: reads the token from there."),
  algorithm: textFlag("NAME", `generate: ${ALGORITHM_NAMES.join(", ")}; HS256 if not given.`, {
    choices: ALGORITHM_NAMES,
  }),
  id: textFlag("NAME", "generate: the key's name; random if not given."),
  out: textFlag("FILE", 'generate: where the key goes; "-" prints it.'),
  "out-dir": textFlag("DIR", "generate: the key goes to DIR/NAME.jwk."),
  public: textFlag("FILE", "generate: where its public half goes."),
  "public-dir": textFlag("DIR", "generate: the public half goes to DIR/NAME.jwk."),
  base64: switchFlag("generate: writes base64url of the JSON, for one-line settings."),
  force: switchFlag("generate: replaces files that are there."),
} as const satisfies FlagTable;

/** Flags of the command line. A repeated one has a value per line. */
export type TokenFlags = {
  readonly [K in keyof typeof FLAGS]?: (typeof FLAGS)[K]["kind"] extends "switch" ? true : string;
};
