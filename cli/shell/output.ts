/** Writes what a command was asked for to standard output. A reader that left early is no failure. */
export function print(text: string): void {
  write(Deno.stdout, text);
}

/** Writes what the user should know besides to standard error. */
export function say(text: string): void {
  write(Deno.stderr, text);
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let rest = new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
