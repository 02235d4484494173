/** Prints one line to standard output. */
export function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Prints the problems and ends with exit code 1, or says that there are none. */
export function report(what: string, problems: readonly string[]): never {
  for (const problem of problems) say(`  ${problem}`);
  say(problems.length === 0 ? `${what}: in order` : `${what}: ${problems.length} problems`);
  Deno.exit(problems.length === 0 ? 0 : 1);
}
