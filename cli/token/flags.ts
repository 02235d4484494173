import { ALGORITHM_NAMES } from "../../server/auth/keys/key.ts";
import type { FlagTable } from "../shell/args.ts";

/** Flags of all the actions of `token`. */
export const FLAGS = {
  key: { kind: "text", value: "FILE", about: 'sign, verify: the key; "-" for standard input.' },
  root: {
    kind: "text",
    value: "PATH",
    about: "What the paths of --publish and --subscribe are below; all paths if not given.",
  },
  publish: {
    kind: "text",
    value: "PATH",
    about:
      'May publish PATH and what is below it ("" is everything); with a * in it, a pattern. May stand several times.',
  },
  subscribe: { kind: "text", value: "PATH", about: "May watch, in the same way." },
  ttl: { kind: "text", value: "DURATION", about: "sign: ends that long from now, like 1h or 30d." },
  expires: { kind: "text", value: "UNIX", about: "sign: ends then, in seconds since 1970." },
  issued: {
    kind: "text",
    value: "UNIX",
    about: "sign: was made then, in seconds since 1970; now if not given.",
  },
  jti: { kind: "text", value: "NAME", about: "sign: names the token, so that it can be revoked." },
  sub: { kind: "text", value: "NAME", about: "sign: whose token it is." },
  in: { kind: "text", value: "FILE", about: "verify, inspect: reads the token from there." },
  algorithm: {
    kind: "text",
    value: "NAME",
    choices: ALGORITHM_NAMES,
    about: `generate: ${ALGORITHM_NAMES.join(", ")}; HS256 if not given.`,
  },
  id: { kind: "text", value: "NAME", about: "generate: the key's name; random if not given." },
  out: { kind: "text", value: "FILE", about: 'generate: where the key goes; "-" prints it.' },
  "out-dir": { kind: "text", value: "DIR", about: "generate: the key goes to DIR/NAME.jwk." },
  public: { kind: "text", value: "FILE", about: "generate: where its public half goes." },
  "public-dir": {
    kind: "text",
    value: "DIR",
    about: "generate: the public half goes to DIR/NAME.jwk.",
  },
  base64: {
    kind: "switch",
    about: "generate: writes base64url of the JSON, for one-line settings.",
  },
  force: { kind: "switch", about: "generate: replaces files that are there." },
} as const satisfies FlagTable;

/** As the command line gives them; repeated ones have a value a line. */
export type TokenFlags = {
  readonly [K in keyof typeof FLAGS]?: (typeof FLAGS)[K]["kind"] extends "switch" ? true : string;
};
