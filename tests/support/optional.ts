import { type Found, onPath } from "./require.ts";

/** Programs that a few tests use where somebody has installed them. */
const PEERS = {
  moq: "moq is not on PATH: it comes with the crate moq-cli (cargo install moq-cli)",
  "moq-relay": "moq-relay is not on PATH: it is a crate (cargo install moq-relay)",
  "moq-interop-client":
    "moq-interop-client is not on PATH: pip install aiomoqt (-r tests/outside/aiomoqt.txt), with Python 3.12 or newer",
  actionlint:
    "actionlint is not on PATH: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
  kubectl: "kubectl is not on PATH: apt-get install kubectl, from the packages of Kubernetes",
  nfpm: "nfpm is not on PATH: go install github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.1",
  promtool: "promtool is not on PATH: apt-get install prometheus",
  python3: "python3 is not on PATH: apt-get install python3 libseccomp2",
  "systemd-analyze": "systemd-analyze is not on PATH: apt-get install systemd",
} as const;

/**
 * Looks for a program on PATH. If it is absent, one line says how to get it, and the test is ignored. Not every
 * system has it as a package, so even a run that must skip nothing does not fail without it.
 */
export function optional(name: keyof typeof PEERS): { ok: boolean; path?: string } {
  const { path } = lookFor(name);
  if (path !== undefined) return { ok: true, path };
  Deno.stderr.writeSync(new TextEncoder().encode(`skipping optional tests: ${PEERS[name]}\n`));
  return { ok: false };
}

/** Every such program, and where it is. */
export const optionalPrograms = (): Found[] =>
  (Object.keys(PEERS) as (keyof typeof PEERS)[]).map(lookFor);

function lookFor(name: keyof typeof PEERS): Found {
  const path = onPath([name]);
  return { name, hint: PEERS[name], ...(path === undefined ? {} : { path }) };
}
