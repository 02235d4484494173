/**
 * docs/tutorial.md as a reader follows it: every block in order, in new folders, with the packed package. The output that
 * the tutorial shows has to appear. Only the ports differ, and the relay's commands run the program of this checkout.
 */
import { freePort } from "../support/borrowed.ts";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { ROOT } from "../../tools/module_graph.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import {
  type Block,
  blocksOf,
  emptyProject,
  packed,
  type Project,
} from "../support/peers/npm_project.ts";
import { follow, type Program } from "../support/program.ts";
import { need } from "../support/require.ts";
import { until } from "../support/server.ts";

/** A text of the tutorial as a pattern: … stands for anything within a line, other lines may come between. */
function patternOf(text: string): RegExp {
  const lines = text.trim().split("\n").map((line) =>
    line.split("…").map(RegExp.escape).join(".+")
  );
  return new RegExp(lines.join("\n(?:.*\n)*?"));
}

class Reader implements AsyncDisposable {
  readonly #project: Project;
  readonly #path: string;
  readonly #ports = { relay: freePort(), page: freePort() };
  readonly #started: Program[] = [];
  /** The newest program of a name. */
  readonly #named = new Map<string, Program>();
  #relay: Program | undefined;
  #relayCommand = "";
  #asked = "";

  constructor(project: Project) {
    this.#project = project;
    // `deno` is the one that runs the tests.
    this.#path = `${project.folder}/bin:${Deno.env.get("PATH")}`;
  }

  async prepare(): Promise<void> {
    const { folder } = this.#project;
    for (const name of ["bin", "app", "qumo-relay", "qumo-relay/keys"]) {
      await Deno.mkdir(`${folder}/${name}`);
    }
    await Deno.symlink(Deno.execPath(), `${folder}/bin/deno`);
    await Deno.symlink(`${ROOT}dist`, `${folder}/qumo-relay/dist`);
  }

  async follow(block: Block, page: () => Promise<Page>): Promise<void> {
    const text = this.#adapted(block.text).trimEnd();
    if (block.language !== "sh" && block.language !== "text") {
      return await this.#project.file(`app/${block.title}`, text);
    }
    switch (block.title) {
      case "relay, stays":
        return await this.#startRelay(text);
      case "relay":
        if (text.endsWith("task build:npm")) return void await packed();
        return void await this.#run("qumo-relay", text);
      case "app":
        this.#asked = text;
        return void await this.#run("app", text);
      case "app, stays": {
        const name = text.startsWith("npx") ? "vite" : / (\w+\.ts)/.exec(text)![1]!;
        // Runs what npx runs, without npx, which would not pass on the end of the process.
        const program = this.#spawn("app", text.replace(/^npx /, "node_modules/.bin/"));
        this.#started.push(program);
        this.#named.set(name, program);
        if (name === "vite") await program.saw(/Local: +http/);
        return;
      }
      case "the relay says":
        return await until(
          async () => patternOf(text).test(await this.#run("app", this.#asked)),
          block.title,
        );
      case "the page says": {
        const pattern = patternOf(text).source;
        const open = await page();
        await open.goto(`http://127.0.0.1:${this.#ports.page}/`);
        const said = `RegExp(${JSON.stringify(pattern)}).test(document.body.innerText)`;
        await open.waitForFunction(said, undefined, { timeout: 60_000 });
        return;
      }
      default: {
        const program = this.#named.get(block.title.replace(/ says$/, ""));
        assert.ok(program !== undefined, `nothing says "${block.title}"`);
        if (text.startsWith("reconnecting")) await this.#startRelay(this.#relayCommand);
        await until(() => patternOf(text).test(program.output()), block.title, 60_000)
          .catch((error) => assert.fail(`${error}: ${program.output()}`));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopAll();
    await this.#relay?.[Symbol.asyncDispose]();
  }

  async #stopAll(): Promise<void> {
    for (const program of this.#started.splice(0)) await program[Symbol.asyncDispose]();
  }

  #adapted(text: string): string {
    return text.replaceAll(":4433", `:${this.#ports.relay}`)
      .replaceAll("port 5173", `port ${this.#ports.page}`);
  }

  /** Starts the relay, or another one in its place. The first one is that of `task dev`. */
  async #startRelay(command: string): Promise<void> {
    await this.#relay?.[Symbol.asyncDispose]();
    if (command !== this.#relayCommand) await this.#stopAll();
    this.#relayCommand = command;
    const address = `--server.address 127.0.0.1:${this.#ports.relay}`;
    const line = command === "deno task dev"
      ? `deno run -A main.ts serve --auth.anonymous true ${address}`
      : command;
    const more = "--admin.address 127.0.0.1:0 --logging.format json --server.cert_dir certs";
    this.#relay = this.#spawn("qumo-relay", `${line} ${more}`);
    await this.#relay.saw('"message":"started"');
  }

  #spawn(folder: string, line: string): Program {
    return follow(this.#command(folder, `exec ${line}`).spawn());
  }

  async #run(folder: string, lines: string): Promise<string> {
    await using program = follow(this.#command(folder, `set -e\n${lines}`).spawn());
    assert.equal(await program.ended(), 0, `${lines}: ${program.output()}`);
    return program.output();
  }

  #command(folder: string, script: string): Deno.Command {
    return new Deno.Command("sh", {
      args: ["-c", script.replaceAll("deno run -A main.ts", `deno run -A ${ROOT}main.ts`)],
      cwd: `${this.#project.folder}/${folder}`,
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
      env: { NO_COLOR: "1", PATH: this.#path },
    });
  }
}

Deno.test({
  name: "the tutorial's four steps work as it says",
  ignore: !need("npm").ok || !need("curl").ok || !need("chromium").ok,
  async fn(t) {
    const text = await Deno.readTextFile(`${ROOT}docs/tutorial.md`);
    const headings = [...text.matchAll(/^## .*$/gm)].map(([heading]) => heading);
    assert.equal(headings.filter((heading) => heading.startsWith("## Step")).length, 4);
    await using chromium = await launchChromium();
    await using project = await emptyProject();
    await using reader = new Reader(project);
    await reader.prepare();
    for (const heading of headings) {
      const blocks = blocksOf(text, heading);
      if (blocks.length === 0) continue;
      const done = await t.step(heading.slice(3), async () => {
        for (const block of blocks) await reader.follow(block, () => chromium.browser.newPage());
      });
      if (!done) break; // the next one builds on it
    }
  },
});
