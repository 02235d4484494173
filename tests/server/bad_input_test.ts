/**
 * Errors of the commands that need a relay: one sentence names the problem, one says what to do, and the exit code is not
 * 0.
 */
import { freePort } from "../support/borrowed.ts";
import assert from "node:assert/strict";
import { listenQuic } from "../../transport/quic/quic.ts";
import { acceptWebTransport } from "../../transport/webtransport/webtransport_server.ts";
import { start, startRelay } from "../support/program.ts";
import { testCertificate } from "../support/server.ts";

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: 1 | 2;
  /** Each has to be there. */
  readonly says: readonly RegExp[];
}

/** Runs a few at a time: each is a process of its own. */
async function hold(cases: readonly Case[]): Promise<void> {
  const left = [...cases];
  const one = async () => {
    for (let c; (c = left.shift());) {
      await using program = start(c.args);
      const code = await program.ended();
      const output = program.output();
      const told = `${c.name}: ${c.args.join(" ")}\n${output}`;
      assert.equal(code, c.code, told);
      for (const pattern of c.says) assert.match(output, pattern, told);
      assert.doesNotMatch(output, /\n {4}at |Uncaught|panicked/, told);
    }
  };
  await Promise.all([one(), one(), one()]);
}

/** Any file will do: the command fails before it reads the file. */
async function mediaFile(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempFile({ suffix: ".mp4" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** The same mistake in each command that dials. */
function dialers(url: string, file: string, more: readonly string[] = []): string[][] {
  return [
    ["sub", url, ...more],
    ["pub", url, "-b", "x", ...more, file],
    ["interop", "client", "--url", url, "--timeout", "2s", ...more],
    ["interop", "server", "--url", url, "--timeout", "2s", ...more],
  ];
}

Deno.test("a command line that is wrong ends with code 2 and says what to write", async () => {
  await using file = await mediaFile();
  const wrongUrls = ["nonsense", "ftp://127.0.0.1/"].flatMap((url) =>
    dialers(url, file.path).map((args): Case => ({
      name: "wrong URL",
      args,
      code: 2,
      says: [/is no URL of a relay; it begins with http:/, /See `qumo-relay help/],
    }))
  );
  const others: Case[] = [
    ["top", ["top", "--admin", "nonsense"], /--admin takes a URL like http:/],
    ["top", ["top", "--interval", "soon"], /--interval takes a duration like 5s/],
    ["top", ["top", "--interval", "1ms"], /at least 100ms/],
    ["no URL", ["sub"], /sub needs the URL of a relay/],
    ["no URL", ["interop", "client"], /interop client needs --url/],
    ["no side", ["interop"], /`interop client` or `interop server`/],
    ["other side", ["interop", "serve", "--url", "http://h/"], /did you mean server\?/],
    ["no such version", ["sub", "http://h/", "--version", "moq-lite-99"], /--version takes moq-/],
    ["bad hash", ["interop", "client", "--url", "https://h/", "--hash", "12"], /64 hexadecimal/],
    ["no CA", ["sub", "https://h/", "--ca", "/nonexistent.pem"], /cannot use \/nonexistent\.pem/],
    ["no file", ["pub", "http://h/", "-b", "x", "/nonexistent.mp4"], /Cannot read \/nonexistent/],
    ["no such shell", ["completion", "csh"], /known are bash, zsh, fish/],
  ].map(([name, args, says]) => ({
    name: name as string,
    args: args as string[],
    code: 2,
    says: [says as RegExp],
  }));
  await hold([...wrongUrls, ...others]);
});

Deno.test("a relay that cannot be reached is named, with how to start one", async () => {
  await using file = await mediaFile();
  const port = freePort();
  const says = [new RegExp(`127\\.0\\.0\\.1:${port}`), /Is a relay running/];
  const unreachable = { name: "unreachable", code: 1, says } as const;
  await hold([
    ...dialers(`http://127.0.0.1:${port}/`, file.path).map((args) => ({ ...unreachable, args })),
    {
      ...unreachable,
      args: ["interop", "client", "--url", `moqt://127.0.0.1:${port}/`, "--timeout", "1s"],
    },
    { ...unreachable, args: ["top", "--once", "--admin", `http://127.0.0.1:${port}`] },
  ]);
});

Deno.test("a relay that refuses says why: certificate, version, path, broadcast", async () => {
  await using relay = await startRelay(["--server.versions", "moq-lite-05,moq-lite-06"]);
  await using file = await mediaFile();
  const at = `127.0.0.1:${relay.port}`;
  const pinned = ["--hash", relay.hash];
  const cases = (name: string, lines: string[][], ...says: RegExp[]) =>
    lines.map((args): Case => ({ name, args, code: 1, says }));
  await hold([
    ...["moqt", "https"].flatMap((scheme) => [
      ...cases(
        "unknown authority",
        dialers(`${scheme}://${at}/`, file.path),
        /certificate/i,
        /--hash.*--ca/s,
      ),
      ...cases(
        "another certificate",
        dialers(`${scheme}://${at}/`, file.path, ["--hash", "00".repeat(32)]),
        /certificate/i,
        /certificate\.sha256/,
      ),
      ...cases(
        "no common version",
        dialers(`${scheme}://${at}/`, file.path, [...pinned, "--version", "moq-lite-03"]),
        /version/i,
        /Name versions with --version/,
      ),
    ]),
    ...cases(
      "a path too deep",
      dialers(`https://${at}/${"a/".repeat(40)}`, file.path, pinned),
      /404/,
      /Check the path/,
    ),
    ...cases(
      "no such broadcast",
      [["sub", relay.url, "-b", "nobody/here", "-d", "1s"]],
      /nobody\/here/,
      /qumo-relay sub URL` lists/,
    ),
    ...cases(
      "no interop server",
      [["interop", "client", "--url", relay.url, "--timeout", "1s"]],
      /announcements\.\.\.failed.*\/interop\/server/,
      /interop server` running/,
    ),
    ...cases(
      "the public port",
      [["top", "--once", "--admin", relay.url]],
      /404/,
      /admin\.address/,
    ),
  ]);
});

Deno.test("a refused token says where the token goes", async () => {
  const { cert, key, sha256 } = await testCertificate();
  using stack = new DisposableStack();
  const quic = listenQuic({ hostname: "127.0.0.1", port: 0, cert, key, protocols: ["h3"] });
  stack.defer(() => quic.close());
  void (async () => {
    for await (const connection of quic) {
      const decide = ({ path }: { path: string }) => ({ status: path === "/secret" ? 403 : 401 });
      void acceptWebTransport(connection, { protocols: ["moq-lite-06"], decide }).catch(() => {});
    }
  })();
  await using file = await mediaFile();
  const hash = ["--hash", sha256.toHex()];
  await hold(
    ([[401, "", /token.*\?jwt=/s], [
      403,
      "secret",
      /token.*not for \/secret: check the path/s,
    ]] as const)
      .flatMap(([status, path, advice]) =>
        dialers(`https://127.0.0.1:${quic.addr.port}/${path}`, file.path, hash).map((
          args,
        ): Case => ({
          name: "refused token",
          args,
          code: 1,
          says: [new RegExp(`status ${status}`), advice],
        }))
      ),
  );
});
