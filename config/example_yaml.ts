import { SECTIONS, type Setting } from "./settings.ts";

/** Width of a line of text. */
const WIDTH = 100;

/** The commented YAML of `qumo-relay config example`, with all defaults. */
export function exampleYaml(): string {
  const out = [
    "# Configuration of qumo-relay. Every value here is the default: keep what you change.",
    "# Durations are written like 500ms, 10s, 2m or 1h; sizes like 1500, 4KB or 32MB (1KB is 1024).",
    "# `qumo-relay check --config FILE` checks a file, docs/config.md explains it.",
  ];
  for (const section of SECTIONS) {
    out.push("", `# ${section.about}`, `${section.name}:`);
    for (const setting of section.settings) {
      const about = setting.about + choices(setting);
      out.push(...wrapped(about, WIDTH - 4).map((line) => `  # ${line}`), ...valueLines(setting));
    }
  }
  return [...out, ...PLUGINS_EXAMPLE, ...HOOKS_EXAMPLE].join("\n") + "\n";
}

const PLUGINS_EXAMPLE = [
  "",
  "# Instances of plugins, which take media in, change it or hand it on; none by default.",
  "# `qumo-relay plugins list` names the plugins, `qumo-relay plugins describe NAME` their options.",
  "# plugins:",
  "#   - name: clock # unique; logs, metrics and the admin API call the instance so",
  "#     module: ./my_plugin.ts # a file, from where this file is, or npm:name@1.2.3",
  "#     # or, for one that comes with the program: plugin: NAME, and kind: if there are two of that name",
  "#     enabled: true",
  "#     options:",
  "#       broadcast: clock",
];

const HOOKS_EXAMPLE = [
  "",
  "# Who is told of what happens: docs/hooks.md; nobody by default.",
  "# hooks:",
  "#   - name: site # unique; logs, metrics and the admin API call the hook so",
  "#     url: https://example.org/qumo",
  "#     secret_file: /etc/qumo-relay/hook.secret",
  "#     events: [publish, unpublish]",
  '#     broadcasts: ["live/*"]',
  "#   - name: on-air",
  "#     command: [/usr/local/bin/on-air]",
];

const choices = (setting: Setting) =>
  setting.expects.startsWith("one of ") ? ` Values: ${setting.expects.slice(7)}.` : "";

function valueLines({ key, byDefault, example }: Setting): string[] {
  if (Array.isArray(byDefault) && byDefault.length > 0) {
    return [`  ${key}:`, ...byDefault.map((item) => `    - ${yamlOf(item)}`)];
  }
  return byDefault === undefined
    ? [`  # ${key}: ${yamlOf(example)}`]
    : [`  ${key}: ${yamlOf(byDefault)}`];
}

function yamlOf(value: unknown): string {
  if (Array.isArray(value)) return "[]";
  const needsQuotes = typeof value === "string" && !/^[\w/.][\w/.-]*$/.test(value);
  return needsQuotes ? JSON.stringify(value) : String(value);
}

/** Wraps a text at `width`, as the formatter does. A span of code stays on one line. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const [word] of text.matchAll(/(?:`[^`]*`|\S)+/g)) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line ? `${line} ${word}` : word;
  }
  return line ? [...lines, line] : lines;
}
