/** Programs of other projects that a few tests use where somebody has installed them. */
const PEERS = {
  moq: "moq is not on PATH: it comes with the crate moq-cli (cargo install moq-cli)",
  "moq-relay": "moq-relay is not on PATH: it is a crate (cargo install moq-relay)",
} as const;

/**
 * Looks for a program on PATH. Where it is absent one line says how to get it, and the test is to be ignored: no system
 * has it as a package, so not even a run that must skip nothing fails for it.
 */
export function optional(name: keyof typeof PEERS): { ok: boolean; path?: string } {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = `${folder}/${name}`;
    if (folder !== "" && isFile(path)) return { ok: true, path };
  }
  Deno.stderr.writeSync(new TextEncoder().encode(`skipping optional tests: ${PEERS[name]}\n`));
  return { ok: false };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch { // Not there, or not ours to see.
    return false;
  }
}
