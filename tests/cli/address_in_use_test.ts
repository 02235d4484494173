import assert from "node:assert/strict";

Deno.test("A port that is taken ends the program with the settings that hold the address", async () => {
  using held = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const directory = await Deno.makeTempDir();
  try {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--unstable-net", new URL("../../main.ts", import.meta.url).href],
        ...["--server.address", `127.0.0.1:${held.addr.port}`, "--admin.address", "off"],
      ],
      cwd: directory,
    }).output();
    assert.equal(code, 1);
    assert.match(
      new TextDecoder().decode(stderr),
      new RegExp(
        `Address already in use: 127.0.0.1:${held.addr.port}; .*\\(server.address, admin.address\\)\n`,
      ),
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
