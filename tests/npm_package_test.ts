/**
 * The npm package as its user has it: packed, installed into a new project, type-checked, bundled, imported. Takes the
 * compiler and the bundler from npm.
 */
import assert from "node:assert/strict";
import { buildNpm, NPM_DIR, readmeOf, TYPESCRIPT } from "../tools/build_npm.ts";
import { ROOT } from "../tools/module_graph.ts";
import { launchChromium } from "./support/chromium.ts";
import { need } from "./support/require.ts";
import { launch } from "./support/server.ts";

const ESBUILD = "esbuild@0.28.2";

/** What a user writes. `program` of the page's global scope is for the test. */
const PROGRAM = `
import { type Client, connect, type Frame, GroupCut, NoWebTransport, QumoError } from "@qumo/relay";

async function start(url: string): Promise<string> {
  await using client: Client = await connect(url, { versions: ["moq-lite-05"], reconnect: true });
  using broadcast = client.publish("from/npm");
  broadcast.track("lines").write("hello");
  const first = await client.announced().next({ signal: AbortSignal.timeout(10_000) });
  return \`\${client.version} \${first?.path}\`;
}

export async function read(client: Client): Promise<Frame[]> {
  const frames: Frame[] = [];
  try {
    for await (const group of client.subscribe("a", "b", { startGroup: 0, maxLatencyMs: 500 })) {
      for await (const frame of group) frames.push(frame);
    }
  } catch (error) {
    if (!(error instanceof GroupCut)) throw error;
    const code: string = error.code;
    throw new Error(code, { cause: error });
  }
  return frames;
}

export const isOurs = (error: unknown): boolean =>
  error instanceof QumoError && !(error instanceof NoWebTransport);
Object.assign(globalThis, { program: { start } });
`;

interface Output {
  readonly code: number;
  readonly text: string;
}

/** Runs a program in a folder. */
async function run(folder: string, command: string, ...args: string[]): Promise<Output> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    ...{ args, cwd: folder, stdin: "null", env: { NO_COLOR: "1" } },
  }).output();
  const text = new TextDecoder();
  return { code, text: text.decode(stdout) + text.decode(stderr) };
}

async function must(folder: string, command: string, ...args: string[]): Promise<string> {
  const { code, text } = await run(folder, command, ...args);
  assert.equal(code, 0, `${command} ${args.join(" ")}: ${text}`);
  return text;
}

const compilerOptions = (moduleResolution: "nodenext" | "bundler") => ({
  ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false },
  ...{ target: "esnext", lib: ["esnext", "dom"], types: [], moduleResolution },
  module: moduleResolution === "nodenext" ? "nodenext" : "esnext",
});

Deno.test({
  name: "the npm package installs, type-checks, bundles, and runs in Node, Deno and Chromium",
  ignore: !need("npm").ok,
  async fn(t) {
    await buildNpm();
    const folder = await Deno.makeTempDir({ prefix: "qumo-npm-" });
    const file = (name: string, content: string) =>
      Deno.writeTextFile(`${folder}/${name}`, content);
    try {
      await file("package.json", '{ "type": "module", "private": true }');
      await file("program.ts", PROGRAM);

      await t.step("npm packs it with its types, README and licence", async () => {
        const said = await must(
          ROOT + NPM_DIR,
          "npm",
          "pack",
          "--json",
          "--pack-destination",
          folder,
        );
        const json = said.slice(said.indexOf("["), said.lastIndexOf("]") + 1);
        const [{ filename, files }] = JSON.parse(json || said) as [
          { filename: string; files: { path: string }[] },
        ];
        const paths = files.map(({ path }) => path);
        for (const path of ["mod.js", "types/client/mod.d.ts", "README.md", "LICENSE"]) {
          assert.ok(paths.includes(path), `${path} is not in it`);
        }
        await must(
          folder,
          "npm",
          "install",
          "--no-audit",
          "--no-fund",
          `./${filename}`,
          TYPESCRIPT,
          ESBUILD,
        );
      });

      for (const resolution of ["nodenext", "bundler"] as const) {
        await t.step(
          `a strict program type-checks, module resolution "${resolution}"`,
          async () => {
            const options = { compilerOptions: compilerOptions(resolution), files: ["program.ts"] };
            await file("tsconfig.json", JSON.stringify(options));
            await must(folder, "npx", "--no-install", "tsc", "-p", ".");
          },
        );
      }

      await t.step("the compiler knows what is wrong", async () => {
        await file(
          "wrong.ts",
          'import { connect } from "@qumo/relay";\nconnect(42, { version: 5 });\n',
        );
        const options = { compilerOptions: compilerOptions("nodenext"), files: ["wrong.ts"] };
        await file("tsconfig.json", JSON.stringify(options));
        const { code, text } = await run(folder, "npx", "--no-install", "tsc", "-p", ".");
        assert.notEqual(code, 0);
        assert.match(text, /wrong\.ts\(2,9\): error TS2345/);
      });

      await t.step("plain Node imports it, and is told that it cannot dial", async () => {
        await file(
          "node.mjs",
          `import { connect, GroupCut } from "@qumo/relay";` +
            `\nconst failure = await connect("https://127.0.0.1:9/").catch((error) => error);` +
            `\nconsole.log(failure.code, new GroupCut(3).message);\nconsole.log(failure.message);`,
        );
        const [first, second] = (await must(folder, "node", "node.mjs")).split("\n");
        assert.equal(
          first,
          "QUMO_NO_WEBTRANSPORT Cannot read group 3 to its end: it was cut short",
        );
        assert.match(second!, /has no WebTransport; connect from Deno or a browser/);
      });

      await t.step("Deno uses it with its own sockets", async () => {
        await using relay = await launch();
        await file(
          "deno.mjs",
          `import { connect } from "@qumo/relay";
          const hash = "${relay.certificate.sha256.toHex()}";
          for (const scheme of ["moqt", "https"]) {
            const client = await connect(scheme + "://127.0.0.1:${relay.port}/", { hash });
            console.log(scheme, client.version);
            await client.close();
          }`,
        );
        const said = await must(
          folder,
          ...[Deno.execPath(), "run", "-A", "--unstable-net"] as const,
          ...["--node-modules-dir=manual", "--no-lock", "deno.mjs"],
        );
        assert.equal(said, "moqt moq-lite-06\nhttps moq-lite-06\n");
      });

      await t.step("esbuild bundles it for browsers, without Deno's sockets", async () => {
        const out = `${folder}/program.js`;
        await must(
          folder,
          ...["npx", "--no-install", "esbuild", "program.ts", "--bundle", "--minify"] as const,
          ...["--format=esm", "--platform=browser", `--outfile=${out}`],
        );
        const script = await Deno.readTextFile(out);
        assert.doesNotMatch(script, /node:|Deno\.\w/);
      });

      if (need("chromium").ok) {
        await t.step("that bundle connects and publishes from Chromium", async () => {
          await using relay = await launch();
          await using watcher = await relay.client();
          await using chromium = await launchChromium();
          const page = await chromium.page();
          using seen = watcher.announced();
          using elsewhere = watcher.publish("from/deno");
          await page.addScriptTag({ path: `${folder}/program.js`, type: "module" });
          await page.waitForFunction("globalThis.program !== undefined");
          const url = `http://127.0.0.1:${relay.port}/`;
          const said = await page.evaluate(`globalThis.program.start(${JSON.stringify(url)})`);
          assert.equal(said, `moq-lite-05 ${elsewhere.path}`);
          assert.equal((await seen.next())?.path, "from/npm");
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("the package's README is the comment of the library's entry", () => {
  const source =
    '/**\n * Does it.\n *\n * ```ts\n * import { a } from "./client/mod.ts";\n * ```\n *\n' +
    " * {@link a} and {@link B.c}.\n *\n * @module\n */\nexport {};\n";
  const readme = readmeOf(source, "@qumo/relay");
  assert.match(readme, /^# @qumo\/relay\n\nDoes it\.\n\n```ts\nimport { a } from "@qumo\/relay";/);
  assert.match(readme, /`a` and `B\.c`\.\n\nPlain Node has no WebTransport/);
});
