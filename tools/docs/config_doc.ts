import { HOOK_OPTIONS } from "../../config/hook_list.ts";
import { wrapped } from "../../config/example_yaml.ts";
import { NAME_HINT } from "../../config/named_list.ts";
import { RELAIS } from "../../config/read/read_env.ts";
import { SECTIONS, type Setting, settingOf, SETTINGS } from "../../config/settings.ts";
import { item, table, WIDTH } from "./markdown.ts";

/** The reference in docs/config.md, as `deno fmt` would write it. */
export function docsMarkdown(): string {
  const out = [
    "# Configuration",
    "",
    "<!-- Made by `deno task docs` from config/schema.ts; do not edit. -->",
    "",
    ...wrapped(
      "A value comes from the first of these that has it: a flag, an environment variable, the file, " +
        "the default. `qumo-relay config show` prints every value with where it came from, " +
        "`qumo-relay check` says everything that is wrong, each with its place:",
      WIDTH,
    ),
    "",
    "```text",
    "Cannot use configs/config.yaml: 2 problems",
    '  configs/config.yaml:2:3  server.adress: unknown key; did you mean "address"?',
    "  configs/config.yaml:4:21  relay.group_cache_size: expected a whole number from 1 to 10000, got 0",
    "```",
    "",
    ...item(
      "**File.** YAML, named with `--config FILE` (also `-config FILE` and `-c FILE`). Without the " +
        "flag `configs/config.yaml` is read if it is there; with no file at all the defaults hold. " +
        "Relative paths start at the working directory. " +
        "[`configs/config.example.yaml`](../configs/config.example.yaml) holds every key; " +
        "`qumo-relay config example` prints it.",
    ),
    ...item(
      "**Flag.** The key with two dashes: `--server.address=:4433` or `--server.address :4433`. " +
        "Dashes and underscores are the same.",
    ),
    ...item(
      "**Environment.** The variable named below. An empty variable counts as absent; a list is " +
        "written with commas.",
    ),
    ...item(
      "**Units.** Durations are written like `500ms`, `10s`, `2m`, `1h`; sizes like `1500`, `4KB`, " +
        "`32MB` (1 KB is 1024 bytes).",
    ),
  ];
  for (const section of SECTIONS) {
    out.push("", `## ${section.name}`, "", section.about, "");
    out.push(...table(
      ["Key", "Default", "Meaning"],
      section.settings.map((s) => [`\`${s.key}\``, defaultOf(s), s.about]),
    ));
    out.push(
      "",
      ...table(
        ["Key", "Environment variable", "Value"],
        section.settings.map((s) => [`\`${s.key}\``, `\`${s.env}\``, s.expects]),
      ),
    );
  }
  return [...out, ...plugins(), ...hooks(), "", ...aliases()].join("\n") + "\n";
}

function plugins(): string[] {
  return [
    "",
    "## plugins",
    "",
    ...wrapped(
      "A list of instances of plugins; [docs/plugins.md](plugins.md) explains them. It has no flag and no " +
        "environment variable. Options are checked by the plugin itself, with their line and column.",
      WIDTH,
    ),
    "",
    ...table(["Key", "Default", "Meaning"], [
      ["`name`", "required", `What logs, metrics and the admin API call it: ${NAME_HINT}. Unique.`],
      [
        "`plugin`",
        "none",
        "Name of the plugin, as `qumo-relay plugins list` prints it. `type` is the same.",
      ],
      ["`kind`", "none", "`ingress`, `transform` or `egress`: which of two plugins of one name."],
      [
        "`module`",
        "none",
        'A file like "./my_plugin.ts", from where the configuration is, or "npm:NAME@1.2.3".',
      ],
      ["`enabled`", "`true`", "Whether it is started."],
      ["`options`", "none", "What the plugin is told: `qumo-relay plugins describe NAME`."],
    ]),
  ];
}

function hooks(): string[] {
  const settings = Object.entries(HOOK_OPTIONS).map(([key, schema]) =>
    settingOf("hooks", key, schema)
  );
  return [
    "",
    "## hooks",
    "",
    ...wrapped(
      "A list of those who are told of what happens, by a webhook or a command; [docs/hooks.md](hooks.md) explains " +
        "them. It has no flag and no environment variable.",
      WIDTH,
    ),
    "",
    ...table(["Key", "Default", "Meaning"], [
      ["`name`", "required", `What logs, metrics and the admin API call it: ${NAME_HINT}. Unique.`],
      ...settings.map((s) => [`\`${s.key}\``, defaultOf(s), s.about]),
    ]),
    "",
    ...table(["Key", "Value"], settings.map((s) => [`\`${s.key}\``, s.expects])),
  ];
}

function aliases(): string[] {
  const keys = SETTINGS.flatMap((s) =>
    (s.aliases ?? []).map((old) => [`\`${old}\``, "file", `\`${s.path}\``])
  );
  const variables = [
    ["`RELAIS_SERVER_HOST`", "environment", "host of `server.address`"],
    ["`RELAIS_SERVER_PORT`", "environment", "port of `server.address`"],
    ...Object.entries(RELAIS).map(([name, path]) => [`\`${name}\``, "environment", `\`${path}\``]),
  ];
  return [
    "## Older spellings",
    "",
    ...wrapped(
      "These are accepted too. A key that is given in both spellings must have the same value in " +
        "both; a `QUMO_` variable wins over a `RELAIS_` one.",
      WIDTH,
    ),
    "",
    ...table(["Spelling", "Where", "Means"], [...keys, ...variables]),
  ];
}

function defaultOf({ byDefault, unset }: Setting): string {
  if (byDefault === undefined) return unset ?? "none";
  if (Array.isArray(byDefault)) return byDefault.length > 0 ? "all of them" : "none";
  return byDefault === "" ? "none" : `\`${byDefault}\``;
}
