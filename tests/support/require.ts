/** Debian's package for each program some tests need, and the names it goes by elsewhere. */
const PROGRAMS = {
  chromium: { package: "chromium", names: ["chromium", "chromium-browser", "google-chrome"] },
  curl: { package: "curl", names: ["curl"] },
  npm: { package: "npm", names: ["npm"] },
  nft: { package: "nftables", names: ["nft"] },
  ip: { package: "iproute2", names: ["ip"] },
  ffmpeg: { package: "ffmpeg", names: ["ffmpeg"] },
  "redis-server": { package: "redis-server", names: ["redis-server"] },
} as const;

/**
 * Looks for a program on PATH. If it is absent, one line says which package has it, and the test is ignored:
 * `Deno.test({ ignore: !need("chromium").ok, … })`.
 * @throws {Error} It is absent and QUMO_TEST_REQUIRE_ALL=1 asks for a run that skips nothing.
 */
export function need(name: keyof typeof PROGRAMS): { ok: boolean; path?: string } {
  const { path, hint } = lookFor(name);
  if (path !== undefined) return { ok: true, path };
  if (Deno.env.get("QUMO_TEST_REQUIRE_ALL") === "1") throw new Error(hint);
  Deno.stderr.writeSync(new TextEncoder().encode(`skipping tests: ${hint}\n`));
  return { ok: false };
}

/** A program that tests drive. */
export interface Found {
  readonly name: string;
  /** Where it is; absent if it is not on PATH. */
  readonly path?: string;
  /** How to get it. */
  readonly hint: string;
}

/** Every program that tests need, and where it is. */
export const programs = (): Found[] =>
  (Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]).map(lookFor);

function lookFor(name: keyof typeof PROGRAMS): Found {
  const program = PROGRAMS[name];
  const path = onPath(program.names);
  const hint = `${name} is not on PATH: apt-get install ${program.package}`;
  return { name, hint, ...(path === undefined ? {} : { path }) };
}

/** Where the first program of one of these names is; `undefined` if none is on PATH. */
export function onPath(names: readonly string[]): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":").filter(Boolean)) {
    const found = names.map((name) => `${folder}/${name}`).find(isProgram);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    const info = Deno.statSync(path);
    return info.isFile && ((info.mode ?? 0o111) & 0o111) !== 0;
  } catch { // It does not exist, or is not readable.
    return false;
  }
}
