import assert from "node:assert/strict";
import { type Logger, silent } from "../../base/logger.ts";
import { startRelay } from "../../tests/support/program.ts";
import { ServiceManager, watchdogIntervalMs } from "./systemd.ts";

const linux = { ignore: Deno.build.os !== "linux" };

/** A socket as systemd makes one. `name` is what NOTIFY_SOCKET says. */
async function fakeManager(abstract: boolean) {
  const dir = await Deno.makeTempDir({ prefix: "qumo-notify-" });
  const path = `${dir}/notify`;
  const socket = Deno.listenDatagram({
    transport: "unixpacket",
    path: abstract ? `\0${path}` : path,
  });
  const heard: string[] = [];
  return {
    name: abstract ? `@${path}` : path,
    heard,
    /** Receives until a message matches. */
    async hears(wanted: RegExp): Promise<string> {
      for (;;) {
        const message = new TextDecoder().decode((await socket.receive())[0]);
        heard.push(message);
        if (wanted.test(message)) return message;
      }
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

for (const abstract of [false, true]) {
  Deno.test(
    `ServiceManager tells ${abstract ? "an abstract" : "a"} socket each step, in order`,
    linux,
    async () => {
      await using manager = await fakeManager(abstract);
      const env = { NOTIFY_SOCKET: manager.name };
      using service = new ServiceManager({
        env,
        pid: 1,
        logger: silent,
        status: () => "3 sessions",
      });
      service.ready();
      service.reloading();
      service.ready();
      service.stopping();
      await service.sent;
      await manager.hears(/STOPPING/);
      const heard = manager.heard.map((m) => m.replace(/(USEC=)\d{7,}/, "$1now"));
      assert.deepEqual(heard, [
        "READY=1\nSTATUS=3 sessions",
        "RELOADING=1\nMONOTONIC_USEC=now\nSTATUS=Reloading",
        "READY=1\nSTATUS=3 sessions",
        "STOPPING=1\nSTATUS=Draining",
      ]);
    },
  );
}

Deno.test("ServiceManager does nothing without NOTIFY_SOCKET", () => {
  const env = { WATCHDOG_USEC: "1000" };
  const logger: Logger = { ...silent, warn: assert.fail };
  using service = new ServiceManager({ env, pid: 1, logger, status: () => assert.fail() });
  service.ready();
  service.stopping();
});

Deno.test(
  "ServiceManager complains once about a socket that is not there, and goes on",
  linux,
  async () => {
    const warnings: string[] = [];
    const logger: Logger = { ...silent, warn: (message) => void warnings.push(message) };
    for (const NOTIFY_SOCKET of ["/nonexistent/notify", "vsock:2:1"]) {
      using service = new ServiceManager({
        env: { NOTIFY_SOCKET },
        pid: 1,
        logger,
        status: () => "",
      });
      service.ready();
      service.stopping();
      await service.sent;
    }
    assert.equal(warnings.length, 2);
  },
);

Deno.test("watchdogIntervalMs() is half of WATCHDOG_USEC, for this process alone", () => {
  assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" }, 7), 15_000);
  assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: "30000000" }, 7), 15_000);
  assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "8" }, 7), undefined);
  for (const WATCHDOG_USEC of ["", "0", "-1", "soon"]) {
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC }, 7), undefined);
  }
});

Deno.test("serve tells systemd ready, alive and stopping", linux, async () => {
  await using manager = await fakeManager(true);
  const env = { NOTIFY_SOCKET: manager.name, WATCHDOG_USEC: "100000" };
  await using relay = await startRelay([], { env });
  assert.match(await manager.hears(/READY=1/), /STATUS=0 sessions/);
  await manager.hears(/^WATCHDOG=1$/);
  relay.process.kill("SIGTERM");
  await manager.hears(/STOPPING=1/);
  assert.equal(await relay.ended(), 0);
});
