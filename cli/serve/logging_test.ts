import assert from "node:assert/strict";
import { type LoggingOptions, startLogging } from "./logging.ts";

/** A logger and the lines it wrote. */
function logging(options: Pick<LoggingOptions, "level" | "format">) {
  const lines: string[] = [];
  return { logger: startLogging({ ...options, write: (line) => lines.push(line) }), lines };
}

Deno.test("the log writes one flat JSON object a line", () => {
  const { logger, lines } = logging({ level: "info", format: "json" });
  logger.with({ session: 7 }).warn("slow", { peer: "127.0.0.1:5", lost: undefined, level: "fake" });
  const { time, ...rest } = JSON.parse(lines[0]!);
  assert.ok(!Number.isNaN(Date.parse(time)));
  assert.deepEqual(rest, { level: "warn", message: "slow", session: 7, peer: "127.0.0.1:5" });
});

Deno.test("the log leaves out what is below its level", () => {
  for (const [level, count] of [["debug", 4], ["info", 3], ["warn", 2], ["error", 1]] as const) {
    const { logger, lines } = logging({ level, format: "json" });
    logger.debug("a");
    logger.info("b");
    logger.warn("c");
    logger.error("d");
    assert.equal(lines.length, count, level);
  }
});

Deno.test("the pretty log puts the fields behind the message", () => {
  const { logger, lines } = logging({ level: "info", format: "pretty" });
  logger.info("a session began", { peer: "[::1]:5", reason: "two words" });
  assert.match(
    lines[0]!,
    /^\d\d:\d\d:\d\d\.\d{3} info {2}a session began {2}peer=\[::1\]:5 {2}reason="two words"$/,
  );
});

Deno.test("braces in a message stand for themselves", () => {
  const { logger, lines } = logging({ level: "info", format: "pretty" });
  logger.info("path {peer} is {}", { peer: "x" });
  assert.match(lines[0]!, /path \{peer\} is \{\} {2}peer=x$/);
});

Deno.test("a name with control characters forges no line of the log", () => {
  const { logger, lines } = logging({ level: "info", format: "pretty" });
  logger.info("got a\nb\x1b[2J", { name: "x\r\ny\x9b" });
  assert.doesNotMatch(lines[0]!, /\p{Cc}/u);
});

Deno.test("the pretty log turns no text around and is not flooded by a name; JSON has the whole of it", () => {
  const name = `abc\u202e${"x".repeat(5000)}`;
  const pretty = logging({ level: "info", format: "pretty" });
  pretty.logger.info("announced", { name });
  assert.match(pretty.lines[0]!, /name="abc\\u202ex+…x+"$/);
  assert.ok(pretty.lines[0]!.length < 300);
  const json = logging({ level: "info", format: "json" });
  json.logger.info("announced", { name });
  assert.equal(JSON.parse(json.lines[0]!).name, name);
});
