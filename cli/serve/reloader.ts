/**
 * Reloads the configuration after a signal, a change of the file, or a request to the admin interface. One reload at a time.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import {
  certificateHosts,
  type CertificateOptions,
  loadCertificate,
} from "../../config/tls/certificate.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { Certificate } from "../../config/tls/pem_pair.ts";
import type { ReloadOutcome } from "../../server/reload.ts";
import { certificateProblems } from "../config/check.ts";

export interface ReloaderOptions {
  /** Earlier reloads wait for this. */
  readonly ready: Promise<unknown>;
  readonly load: () => Promise<LoadedConfig>;
  /** Applies it. */
  readonly apply: (loaded: LoadedConfig, certificate: Certificate) => Promise<ReloadOutcome>;
  readonly logger: Logger;
  /** Gets the certificate in use and its source, after each reload. */
  readonly onCertificate: (certificate: Certificate, options: CertificateOptions) => void;
  /** Called before and after each reload. */
  readonly onBegin: () => void;
  readonly onEnd: () => void;
}

export class Reloader {
  readonly #options: ReloaderOptions;
  #last: Promise<unknown>;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#last = options.ready;
  }

  /** Settles when no reload is running. */
  get idle(): Promise<unknown> {
    return this.#last;
  }

  /** Rejects when the new configuration cannot be used. Then nothing has changed, and the log says why. */
  reload(): Promise<ReloadOutcome> {
    const reloaded = this.#last.then(() => this.#reload());
    this.#last = reloaded.catch(() => {});
    return reloaded;
  }

  async #reload(): Promise<ReloadOutcome> {
    const { load, apply, logger, onCertificate, onBegin, onEnd } = this.#options;
    onBegin();
    try {
      const loaded = await load();
      const certificateOptions = certificateOptionsOf(loaded);
      const certificate = await loadCertificate(certificateOptions)
        .catch((error) => {
          throw certificateProblems(error, loaded);
        });
      const outcome = await apply(loaded, certificate);
      onCertificate(certificate, certificateOptions);
      tell(logger, outcome);
      return outcome;
    } catch (error) {
      logger.error(`${reasonOf(error)}\nThe configuration in use stays.`);
      throw error;
    } finally {
      onEnd();
    }
  }
}

/** The source of the certificate of a configuration. */
export function certificateOptionsOf({ config: { server } }: LoadedConfig): CertificateOptions {
  return {
    certFile: server.certFile,
    keyFile: server.keyFile,
    dir: server.certDir,
    hosts: certificateHosts(server.certHosts),
  };
}

function tell(logger: Logger, { applied, needsRestart }: ReloadOutcome): void {
  const none = applied.length + needsRestart.length === 0;
  logger.info(
    none ? "configuration read again: nothing has changed" : "configuration read again",
    applied.length === 0 ? {} : { applied: applied.join(", ") },
  );
  for (const path of needsRestart) logger.warn(`${path} changed: takes effect after a restart`);
}
