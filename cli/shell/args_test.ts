import assert from "node:assert/strict";
import { UsageError } from "../../base/errors.ts";
import { describeFlags, parseFlags } from "./args.ts";

const TABLE = {
  config: { kind: "text", short: "c", value: "FILE", about: "The file." },
  "relay.group_cache_size": { kind: "text", about: "Groups kept." },
  json: { kind: "switch", about: "Print JSON." },
} as const;

const complaint = (args: string[]) => {
  try {
    parseFlags(args, TABLE, { operands: ["URL"] });
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  return assert.fail("accepted");
};

Deno.test("parseFlags() reads a value in every way it can be written", () => {
  const ways = [["--config", "a"], ["--config=a"], ["-config", "a"], ["-config=a"], ["-c", "a"]];
  for (const args of ways) {
    assert.deepEqual(parseFlags(args, TABLE).flags.config, "a", args.join(" "));
  }
});

Deno.test("parseFlags() takes dashes and underscores of a name for the same", () => {
  const { flags } = parseFlags(["--relay.group-cache-size", "7"], TABLE);
  assert.equal(flags["relay.group_cache_size"], "7");
});

Deno.test("parseFlags() sets nothing that was not given", () => {
  assert.deepEqual(Object.keys(parseFlags([], TABLE).flags), []);
});

Deno.test("parseFlags() keeps an empty value, a dash and what follows --", () => {
  const { flags, operands } = parseFlags(["--config=", "--", "--json"], TABLE, { operands: ["X"] });
  assert.deepEqual([flags.config, flags.json, operands], ["", undefined, ["--json"]]);
  assert.deepEqual(parseFlags(["-"], TABLE, { operands: ["X"] }).operands, ["-"]);
});

Deno.test("parseFlags() refuses what it does not know, with the nearest it does", () => {
  assert.equal(complaint(["--confg", "a"]), "Unknown flag --confg; did you mean --config?");
  assert.equal(
    complaint(["--group-cache-size=3"]),
    "Unknown flag --group-cache-size; did you mean --relay.group_cache_size?",
  );
  assert.equal(complaint(["-x"]), "Unknown flag -x");
  assert.equal(complaint(["--constructor"]), "Unknown flag --constructor");
});

Deno.test("parseFlags() refuses a value that is absent and one too many", () => {
  assert.equal(complaint(["--config"]), "--config needs a value: --config FILE");
  assert.equal(complaint(["--config", "--json"]), "--config needs a value: --config FILE");
  assert.equal(complaint(["--json=yes"]), "--json takes no value");
  assert.equal(complaint(["a", "b"]), 'Unexpected argument "b"');
});

Deno.test("describeFlags() fills the descriptions beside the names", () => {
  assert.equal(
    describeFlags(TABLE, 60),
    [
      "  -c, --config FILE                   The file.",
      "      --relay.group_cache_size VALUE  Groups kept.",
      "      --json                          Print JSON.",
    ].join("\n"),
  );
});
