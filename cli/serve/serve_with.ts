import type { Logger } from "../../base/logger.ts";
import { VERSION } from "../../base/version.ts";
import { type CertificateOptions, loadCertificate } from "../../config/tls/certificate.ts";
import { accessWarning, openUnasked } from "../../config/exposure.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import type { Certificate } from "../../config/tls/pem_pair.ts";
import { watchCertificate } from "../../config/tls/watch_certificate.ts";
import { watchFile } from "../../config/read/watch_file.ts";
import { Strays } from "../../plugins/host/strays.ts";
import type { ServerContext } from "../../server/opening.ts";
import type { RunningServer } from "../../server/server.ts";
import { readSocketBuffers, socketBufferWarning } from "../../server/socket_buffers.ts";
import { banner, startWarnings } from "./banner.ts";
import { formatFor, type LoggingOptions, startLogging } from "./logging.ts";
import { say } from "../shell/output.ts";
import { certificateOptionsOf, Reloader } from "./reloader.ts";
import { onHangup, onShutdownSignal } from "../shell/shutdown.ts";
import { ServiceManager, takeServiceEnv } from "./systemd.ts";

/** The part of a server that the program uses. */
export type Served =
  & Pick<RunningServer, "listeners" | "replaceCertificate" | "reload" | "finished" | "close">
  & Partial<Pick<RunningServer, "pageUrl" | "sessionCount">>;

/** Starts a server. Fulfils once it listens; rejects when it cannot. */
export type StartServer = (
  loaded: LoadedConfig,
  context: Omit<ServerContext, "assets" | "module"> & Pick<Required<ServerContext>, "stop">,
) => Promise<Served>;

/**
 * Runs a server from its start to its end: log, certificate, banner, signals.
 *
 * @param load Reads the configuration again.
 * @returns The exit code.
 * @throws {TlsSetupError} Before anything listens.
 */
export async function serveWith(
  loaded: LoadedConfig,
  load: () => Promise<LoadedConfig>,
  start: StartServer,
): Promise<number> {
  const { logging } = loaded.config;
  const form = formatFor(logging.format);
  const logger = startLogging({ level: logging.level, ...form });
  using strays = new Strays(logger);
  const certificateOptions = certificateOptionsOf(loaded);
  const certificate = await loadCertificate(certificateOptions);

  const ended = new AbortController();
  const stop = Promise.withResolvers<string>();
  using _signals = onShutdownSignal({
    graceful: stop.resolve,
    immediate: (exitCode) => Deno.exit(exitCode),
  });
  const env = takeServiceEnv();
  const ready = Promise.withResolvers<void>();
  const reloader = new Reloader({
    ready: ready.promise,
    load,
    apply: (next, certificate) => running.reload(next, certificate),
    logger,
    onCertificate: (certificate, options) => watchCertificateOf(certificate, options),
    onBegin: () => service.reloading(),
    onEnd: () => service.ready(),
  });
  const running = await start(loaded, {
    logger,
    logLevel: logger,
    strays,
    certificate,
    reload: () => reloader.reload(),
    stop: () => stop.resolve("drain asked for by the admin interface"),
  });
  using service = new ServiceManager({
    env,
    pid: Deno.pid,
    logger,
    status: () => statusOf(running),
  });
  const over = Promise.race([stop.promise, running.finished.then(() => undefined)]);
  over.catch(() => {}); // it may fail before it is awaited below

  let watching = new AbortController();
  const watches: Promise<void>[] = [];
  const watchCertificateOf = (current: Certificate, options: CertificateOptions) => {
    watching.abort(); // the files may be others now
    watching = new AbortController();
    watches.push(watchCertificate(current, {
      ...options,
      signal: AbortSignal.any([ended.signal, watching.signal]),
      onChange: async (next) => {
        await running.replaceCertificate(next);
        logger.info("the certificate was replaced", { sha256: next.sha256.toHex() });
        for (const warning of next.warnings) logger.warn(warning);
      },
      onProblem: (error) => logger.error(`${error.message}; the certificate in use stays`),
    }));
  };
  watchCertificateOf(certificate, certificateOptions);
  const reload = () => void reloader.reload().catch(() => {}); // the log says why
  using _hangups = onHangup({ reload, closed: () => stop.resolve("the terminal was closed") });
  if (loaded.file !== undefined) {
    watches.push(watchFile(loaded.file, { signal: ended.signal, onChange: reload }));
  }
  try {
    await announce(running, certificate, logger, form, loaded.config);
    service.ready();
    ready.resolve();
    const signal = await over;
    if (signal !== undefined) {
      logger.info("stopping; a second signal ends at once", { signal });
      await reloader.idle;
    }
  } finally {
    ended.abort();
    service.stopping();
    await running.close();
    await Promise.all(watches);
    await service.sent;
  }
  logger.info("stopped");
  return 0;
}

/** The line of `systemctl status`. */
function statusOf({ sessionCount }: Served): string {
  if (sessionCount === undefined) return "Running";
  return sessionCount === 1 ? "1 session" : `${sessionCount} sessions`;
}

async function announce(
  { listeners, pageUrl }: Served,
  certificate: Certificate,
  logger: Logger,
  { format, color = false }: Pick<LoggingOptions, "format" | "color">,
  config: Config,
): Promise<void> {
  const access = accessWarning(config);
  const alarm = openUnasked(config) ? access : undefined;
  const warnings = startWarnings({
    certificate,
    access: alarm === undefined ? access : undefined,
    socketBuffers: socketBufferWarning(await readSocketBuffers()),
  });
  if (format === "pretty") {
    const page = pageUrl === undefined ? {} : { pageUrl };
    const last = alarm === undefined ? {} : { alarm };
    say(banner({ version: VERSION, listeners, ...page, certificate, warnings, ...last, color }));
    return;
  }
  logger.info("started", {
    version: VERSION,
    listening: listeners.map(({ name, address }) => `${name} ${address}`).join("; "),
    page: pageUrl,
    certificateSha256: certificate.sha256.toHex(),
    certificateEnds: new Date(certificate.notAfterMs).toISOString(),
  });
  for (const warning of warnings) logger.warn(warning);
  if (alarm !== undefined) logger.warn(alarm.replaceAll("\n", " "));
}
