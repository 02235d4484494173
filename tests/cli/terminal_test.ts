/** A relay that was started in a terminal. */
import assert from "node:assert/strict";
import { optional } from "../support/optional.ts";
import { follow, MAIN } from "../support/program.ts";

/** Runs a command in a terminal of its own, sends SIGHUP there, closes the terminal and waits for the command's end. */
const IN_TERMINAL = `
import os, pty, signal, sys
signal.alarm(100)  # ends this, and so the terminal
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
def until(wanted):
    text = b""
    while wanted not in text:
        text += os.read(terminal, 4096)
until(b'"message":"started"')
os.kill(pid, signal.SIGHUP)
until(b'configuration read again')
os.close(terminal)
print("ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
`;

Deno.test({
  name:
    "SIGHUP reloads a relay in a terminal that stays, and a relay whose terminal is closed ends in order",
  ignore: Deno.build.os === "windows" || !optional("python3").ok,
  async fn() {
    const dir = await Deno.makeTempDir();
    const flags = [
      ...["--server.address", "127.0.0.1:0", "--admin.address", "127.0.0.1:0"],
      ...["--server.cert_dir", dir, "--logging.format", "json"],
    ];
    const command = [Deno.execPath(), "run", "-A", MAIN, "serve", ...flags];
    await using program = follow(
      new Deno.Command(optional("python3").path!, {
        args: ["-c", IN_TERMINAL, ...command],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    );
    assert.equal(await program.ended(), 0, program.output());
    assert.match(program.output(), /^ended with 0$/m);
    await Deno.remove(dir, { recursive: true });
  },
});
