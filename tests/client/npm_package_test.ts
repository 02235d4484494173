/**
 * The npm package as users have it: packed, installed into a new project, type-checked, bundled, imported. The compiler and
 * the bundlers come from npm.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { readmeOf } from "../../tools/ship/build_npm.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { emptyProject, packed, TOOLS } from "../support/peers/npm_project.ts";
import { need } from "../support/require.ts";
import { launch, type Launched } from "../support/server.ts";

/** What a user writes. `program` of the page's global scope is for the test. */
const PROGRAM = `
import { type Client, connect, type Frame, GroupCut, NoWebTransport, QumoError } from "@qumo/relay";
import { objectTrack, subscribeObjects, type TrackObject } from "@qumo/relay/objects";

async function start(url: string, version: string): Promise<string> {
  await using client: Client = await connect(url, { versions: [version], reconnect: true });
  using broadcast = client.publish("from/npm");
  broadcast.track("lines").write("hello");
  const [frame] = await read(client);
  return \`\${client.version} \${new TextDecoder().decode(frame?.payload)}\`;
}

export async function read(client: Client): Promise<Frame[]> {
  const frames: Frame[] = [];
  try {
    const options = { startGroup: 0, maxLatencyMs: 500, waitMs: 60_000 };
    for await (const group of client.subscribe("from/deno", "lines", options)) {
      for await (const frame of group) frames.push(frame);
    }
  } catch (error) {
    if (!(error instanceof GroupCut)) throw error;
    const code: string = error.code;
    throw new Error(code, { cause: error });
  }
  return frames;
}

export async function objects(client: Client): Promise<TrackObject | undefined> {
  objectTrack(client.publish("from/npm/objects").track("video")).subgroup(0).object({ payload: "o" });
  for await (const subgroup of subscribeObjects(client, "a", "b")) return await subgroup.object();
  return undefined;
}

export const isOurs = (error: unknown): boolean =>
  error instanceof QumoError && !(error instanceof NoWebTransport);
Object.assign(globalThis, { program: { start } });
`;

const compilerOptions = (resolution: "nodenext" | "bundler", lib: readonly string[]) => ({
  ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false },
  ...{ target: "es2022", lib, types: [], moduleResolution: resolution },
  module: resolution === "nodenext" ? "nodenext" : "esnext",
});

/** Loads the bundle and lets it publish and read. @returns What it said, and by which transport it came. */
async function play(
  page: Page,
  relay: Launched,
  bundle: string,
  version: string,
): Promise<[string, string]> {
  await using peer = await relay.client();
  using announced = peer.announced("from/npm");
  await page.addScriptTag({ path: bundle, type: "module" });
  await page.waitForFunction("globalThis.program !== undefined");
  const url = `http://127.0.0.1:${relay.port}/`;
  const program = `globalThis.program.start(${JSON.stringify(url)}, "${version}")`;
  const said = page.evaluate(program) as Promise<string>;
  said.catch(() => {}); // told below
  await Promise.race([announced.next(), said]);
  using hello = peer.subscribe("from/npm", "lines");
  using group = (await hello.group())!;
  assert.equal(new TextDecoder().decode((await group.frame())?.payload), "hello");
  const { sessions } = await relay.api<{ sessions: { transport: string }[] }>("/api/v1/sessions");
  const [transport] = sessions.map((session) => session.transport).filter((it) => it !== "quic");
  using broadcast = peer.publish("from/deno"); // what the page waits for
  const lines = broadcast.track("lines");
  lines.write("and hello to you");
  lines.close();
  return [await said, transport ?? "none"];
}

Deno.test({
  name: "the npm package installs, type-checks, bundles, and runs in Node, Deno and Chromium",
  ignore: !need("npm").ok,
  async fn(t) {
    await using project = await emptyProject();
    const { folder, file, run, must } = project;
    const npx = (...args: string[]) => must("npx", "--no-install", ...args);
    await file("program.ts", PROGRAM);

    await t.step("npm packs it with its types, README and licence, and installs it", async () => {
      const archive = await packed();
      const paths = (await must("tar", "-tzf", archive)).split("\n");
      for (
        const path of ["mod.js", "objects/mod.js", "types/client/mod.d.ts", "README.md", "LICENSE"]
      ) {
        assert.ok(paths.includes(`package/${path}`), `${path} is not in it`);
      }
      await must("npm", "install", "--no-audit", "--no-fund", archive, ...Object.values(TOOLS));
    });

    for (const [resolution, lib] of [["nodenext", "es2022"], ["bundler", "esnext"]] as const) {
      await t.step(`a strict program type-checks: ${resolution}, lib ${lib} and dom`, async () => {
        const options = compilerOptions(resolution, [lib, "dom"]);
        const files = ["program.ts"];
        await file("tsconfig.json", JSON.stringify({ compilerOptions: options, files }));
        await npx("tsc", "-p", ".");
      });
    }

    await t.step(
      "with lib es2022 alone the compiler knows what is wrong, and no more",
      async () => {
        await file(
          "wrong.ts",
          'import { connect } from "@qumo/relay";\nconnect("");\nconnect(42, { version: 5 });\n',
        );
        const options = { compilerOptions: compilerOptions("nodenext", ["es2022"]) };
        await file("tsconfig.json", JSON.stringify({ ...options, files: ["wrong.ts"] }));
        const { text } = await run("npx", "--no-install", "tsc", "-p", ".");
        const errors = text.split("\n").filter((line) => line.includes("error"));
        assert.equal(errors.length, 1, text);
        assert.match(errors[0]!, /^wrong\.ts\(3,9\): error TS2345/);
      },
    );

    await t.step("plain Node imports it, and is told that it cannot dial", async () => {
      await file(
        "node.mjs",
        `import { connect, GroupCut } from "@qumo/relay";` +
          `\ndelete globalThis.WebSocket;` + // Node 22 has one
          `\nconst failure = await connect("https://127.0.0.1:9/").catch((error) => error);` +
          `\nconsole.log(failure.code, new GroupCut(3).message);\nconsole.log(failure.message);`,
      );
      const [first, second] = (await must("node", "node.mjs")).split("\n");
      assert.equal(
        first,
        "QUMO_NO_WEBTRANSPORT Cannot read group 3 to its end: it was cut short",
      );
      assert.match(second!, /has no WebTransport; connect from Deno or a browser/);
    });

    await t.step(
      "Deno uses it with its own sockets, and with a WebSocket where QUIC is switched off",
      async () => {
        await using relay = await launch();
        await file(
          "deno.ts",
          `import { connect } from "@qumo/relay";
        const hash = "${relay.certificate.sha256.toHex()}";
        for (const [scheme, options] of [["moqt", { hash }], ["https", { hash }], ["http", {}]] as const) {
          try {
            await using client = await connect(scheme + "://127.0.0.1:${relay.port}/", options);
            console.log(scheme, client.version);
          } catch (error) {
            console.log(scheme, (error as Error).message);
          }
        }
        const gone = await connect("http://127.0.0.1:9/").catch((error) => error);
        console.log(gone.message.includes("run with --unstable-net"));`,
        );
        const deno = (...flags: string[]) =>
          must(Deno.execPath(), "run", "-A", "--quiet", "--no-lock", ...flags, "deno.ts");
        const version = "moq-lite-06";
        assert.equal(
          await deno("--unstable-net", "--check"),
          `moqt ${version}\nhttps ${version}\nhttp ${version}\nfalse\n`,
        );
        const off = (scheme: string) =>
          `${scheme} Cannot connect to ${scheme}://127.0.0.1:${relay.port}/: QUIC is switched off; ` +
          "run with --unstable-net, as in `deno run -A --unstable-net FILE`\n";
        assert.equal(await deno(), `${off("moqt")}${off("https")}http ${version}\ntrue\n`);
      },
    );

    const bundles = [`${folder}/esbuild/program.js`, `${folder}/vite/program.js`];
    await t.step("esbuild and Vite bundle it for browsers, without Deno's sockets", async () => {
      await npx(
        ...["esbuild", "program.ts", "--bundle", "--minify", "--format=esm"],
        ...["--platform=browser", `--outfile=${bundles[0]}`],
      );
      await file(
        "vite.config.js",
        `export default { logLevel: "warn", build: { outDir: "vite", modulePreload: false,
          rollupOptions: { input: "program.ts", preserveEntrySignatures: "strict",
            output: { entryFileNames: "program.js", inlineDynamicImports: true } } } };`,
      );
      await npx("vite", "build");
      for (const bundle of bundles) {
        const script = await Deno.readTextFile(bundle);
        assert.doesNotMatch(script, /["'`]node:|\bDeno\.(?!createHttpClient)\w/);
      }
    });

    if (!need("chromium").ok) return;
    await using chromium = await launchChromium();
    for (
      const [index, bundler, version] of [
        [0, "esbuild", "moq-lite-05"],
        [1, "Vite", "moq-lite-05"],
        [1, "Vite", "moq-transport-18"],
      ] as const
    ) {
      await t.step(
        `the bundle of ${bundler} publishes and receives in Chromium: ${version}`,
        async () => {
          await using relay = await launch();
          const page = await chromium.page();
          const said = [`${version} and hello to you`, "webtransport"];
          assert.deepEqual(await play(page, relay, bundles[index]!, version), said);
        },
      );

      await t.step(
        `that of ${bundler} does so over WebSocket where there is no WebTransport: ${version}`,
        async () => {
          await using relay = await launch();
          const page = await chromium.page();
          await page.evaluate("delete globalThis.WebTransport");
          const said = [`${version} and hello to you`, "websocket"];
          assert.deepEqual(await play(page, relay, bundles[index]!, version), said);
        },
      );
    }
  },
});

Deno.test("the package's README is the comment of the library's entry", () => {
  const source =
    '/**\n * Does it.\n *\n * ```ts\n * import { a } from "@qumo/relay";\n * ```\n *\n' +
    " * {@link a} and {@link B.c}.\n *\n * @module\n */\nexport {};\n";
  const readme = readmeOf(source, "@qumo/relay");
  assert.match(readme, /^# @qumo\/relay\n\nDoes it\.\n\n```ts\nimport { a } from "@qumo\/relay";/);
  assert.match(readme, /`a` and `B\.c`\.\n\nPlain Node/);
});
