/**
 * Projects as users of the npm package have them: a new folder, the packed package, and tools of npm.
 *
 * @module
 */
import assert from "node:assert/strict";
import { buildNpm, packNpm, TYPESCRIPT } from "../../../tools/ship/build_npm.ts";
import { ROOT } from "../../../tools/module_graph.ts";

/** Tools of other people, taken from npm when a test runs. */
export const TOOLS = { typescript: TYPESCRIPT, esbuild: "esbuild@0.28.2", vite: "vite@7.3.8" };

/** What a program said, and how it ended. */
export interface Output {
  readonly code: number;
  readonly text: string;
}

/** A folder that is removed when it goes out of scope. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
  /** Writes a file, and the folders it stands in. */
  file(name: string, content: string): Promise<void>;
  /** Runs a program to its end. */
  run(command: string, ...args: string[]): Promise<Output>;
  /** The same, which has to end well. @returns All it said. */
  must(command: string, ...args: string[]): Promise<string>;
}

let archive: Promise<string> | undefined;

/** Builds and packs the package, once. @returns The archive's path. */
export function packed(): Promise<string> {
  return archive ??= buildNpm().then(packNpm).then((path) => ROOT + path);
}

/** An empty folder. */
export async function emptyProject(): Promise<Project> {
  const folder = await Deno.makeTempDir({ prefix: "qumo-npm-" });
  const run = async (command: string, ...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      ...{ args, cwd: folder, stdin: "null", env: { NO_COLOR: "1" } },
    }).output();
    const text = new TextDecoder();
    return { code, text: text.decode(stdout) + text.decode(stderr) };
  };
  return {
    folder,
    run,
    async file(name, content) {
      const path = `${folder}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, content);
    },
    async must(command, ...args) {
      const { code, text } = await run(command, ...args);
      assert.equal(code, 0, `${command} ${args.join(" ")}: ${text}`);
      return text;
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** One fenced block of a Markdown document. */
export interface Block {
  /** "ts" of "```ts main.ts". */
  readonly language: string;
  /** "main.ts" of the same; empty where nothing follows the language. */
  readonly title: string;
  readonly text: string;
}

/** The fenced blocks of a document, or of its part below a heading. */
export function blocksOf(markdown: string, heading?: string): Block[] {
  const from = heading === undefined ? 0 : markdown.indexOf(`\n${heading}\n`) + 1;
  assert.ok(heading === undefined || from > 0, `there is no heading "${heading}"`);
  const level = heading?.indexOf(" ") ?? 0;
  const rest = markdown.slice(from + (heading?.length ?? 0));
  const end = level === 0 ? -1 : rest.search(new RegExp(`^#{1,${level}} `, "m"));
  const part = end < 0 ? rest : rest.slice(0, end);
  return [...part.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm)].map((
    [, language, title, text],
  ) => ({ language: language!, title: title!, text: text! }));
}
