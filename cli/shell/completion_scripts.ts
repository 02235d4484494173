/**
 * Completion for shells, made from the table of commands: what is typed after the program's name is a command, its words
 * or its flags; a flag's value is one of its choices, a file, or anything.
 *
 * @module
 */
import type { FlagSpec, FlagTable } from "./args.ts";

/** What a shell has to know of a command. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: FlagTable;
  /** What its first operand may be, where that is one of a few words. */
  readonly words: readonly string[];
}

const PROGRAM = "qumo-relay";
/** Flags that stand alone before any command belong to this one. */
const DEFAULT_COMMAND = "serve";

type Value = "none" | "file" | "dir" | "free" | readonly string[];

function valueOf({ kind, value, choices }: FlagSpec): Value {
  if (kind === "switch") return "none";
  if (choices !== undefined) return choices;
  return value === "FILE" ? "file" : value === "DIR" ? "dir" : "free";
}

const flagsOf = (command: CompletedCommand): [string, FlagSpec][] => Object.entries(command.flags);

/** Everything a flag is written as. */
const spellings = ([name, { short }]: [string, FlagSpec]) =>
  short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** For bash 4 and later, with or without the package bash-completion. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const values = commands.flatMap((command) =>
    flagsOf(command).flatMap((flag) => {
      const value = valueOf(flag[1]);
      if (value === "none") return [];
      const patterns = spellings(flag).map((text) => `${command.name}:${text}`).join("|");
      const action = value === "file"
        ? `COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null`
        : value === "dir"
        ? `COMPREPLY=($(compgen -d -- "$cur")); compopt -o filenames 2>/dev/null`
        : value === "free"
        ? "COMPREPLY=()"
        : `COMPREPLY=($(compgen -W ${quoted(value.join(" "))} -- "$cur"))`;
      return [`    ${patterns}) ${action}; return ;;`];
    })
  );
  const words = commands.map((command) => {
    const flags = flagsOf(command).map(([name]) => `--${name}`);
    const all = [...command.words, ...flags, "--help"].join(" ");
    return `    ${command.name}) words=${quoted(all)} ;;`;
  });
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion of ${PROGRAM}; made by \`${PROGRAM} completion bash\`
_qumo_relay() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=${DEFAULT_COMMAND} words=
  COMPREPLY=()
  if ((COMP_CWORD > 1)) && [[ \${COMP_WORDS[1]} != -* ]]; then
    command=\${COMP_WORDS[1]}
  fi
  case "$command:$prev" in
${values.join("\n")}
  esac
  case "$command" in
${words.join("\n")}
  esac
  if ((COMP_CWORD == 1)) && [[ $cur != -* ]]; then
    words=${quoted(names)}
  elif [[ $cur != -* ]] && ((COMP_CWORD > 2)); then
    words=
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ \${#COMPREPLY[@]} == 0 && $cur != -* ]]; then
    COMPREPLY=($(compgen -f -- "$cur"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _qumo_relay ${PROGRAM}`;
}

/** For zsh, as a file of its \`fpath\` or sourced. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const escaped = (text: string) => text.replaceAll(/[\\[\]:]/g, "\\$&");
  const cases = commands.map((command) => {
    const flags = flagsOf(command).flatMap((flag) => {
      const [, spec] = flag;
      const value = valueOf(spec);
      const action = value === "none"
        ? ""
        : value === "file"
        ? ":file:_files"
        : value === "dir"
        ? ":directory:_files -/"
        : value === "free"
        ? `:${escaped(spec.value ?? "VALUE")}: `
        : `:${escaped(spec.value ?? "VALUE")}:(${value.join(" ")})`;
      return spellings(flag).map((text) => quoted(`${text}[${escaped(spec.about)}]${action}`));
    });
    const rest = command.words.length === 0
      ? "'*:file:_files'"
      : `'1:what:(${command.words.join(" ")})'`;
    const lines = [...flags, rest].map((text) => `        ${text}`);
    return `    ${command.name})\n      _arguments \\\n${lines.join(" \\\n")} ;;`;
  });
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${escaped(summary)}`)}`);
  return `#compdef ${PROGRAM}
# zsh completion of ${PROGRAM}; made by \`${PROGRAM} completion zsh\`
_qumo_relay() {
  local -a commands
  commands=(
${names.join("\n")}
  )
  local command=${DEFAULT_COMMAND}
  if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  if [[ $words[2] != -* ]]; then
    command=$words[2]
    shift words
    ((CURRENT--))
  fi
  case $command in
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _qumo-relay ]]; then _qumo_relay "$@"; else compdef _qumo_relay ${PROGRAM}; fi`;
}

/** For fish. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap((command) => {
    const name = `complete -c ${PROGRAM} -n __fish_use_subcommand -f -a ${command.name}` +
      ` -d ${fishQuoted(command.summary)}`;
    const here = `complete -c ${PROGRAM} -n '__fish_seen_subcommand_from ${command.name}'`;
    const words = command.words.length === 0
      ? []
      : [`${here} -f -a ${fishQuoted(command.words.join(" "))}`];
    const flags = flagsOf(command).map(([flag, spec]) => {
      const value = valueOf(spec);
      const action = value === "none"
        ? ""
        : value === "file"
        ? " -r -F"
        : value === "dir"
        ? " -x -a '(__fish_complete_directories)'"
        : value === "free"
        ? " -x"
        : ` -x -a ${fishQuoted(value.join(" "))}`;
      const short = spec.short === undefined ? "" : ` -s ${spec.short}`;
      return `${here} -l ${flag}${short}${action} -d ${fishQuoted(spec.about)}`;
    });
    return [name, ...words, ...flags];
  });
  return [
    `# fish completion of ${PROGRAM}; made by \`${PROGRAM} completion fish\``,
    ...lines,
  ].join("\n");
}

const fishQuoted = (text: string) => `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
