/**
 * Sends an event as an HTTP request.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { HookConfig } from "../../config/hook_list.ts";
import { type Deliver, HookFailed } from "./hook.ts";
import { SIGNATURE_HEADER, signatureOf } from "./signature.ts";

/** How much of a refusing answer is shown. */
const SHOWN_BYTES = 256;

/** Sends the requests of a webhook. `config` has a `url` and a secret. */
export function webhook(config: HookConfig, clock: Pick<Clock, "wallMs">): Deliver {
  const { timeoutMs } = config;
  const url = config.url!;
  // Path and query may hold a token.
  const where = new URL(url).origin;
  return async (event, signal) => {
    const secret = await secretOf(config);
    const body = JSON.stringify(event);
    const limit = AbortSignal.timeout(timeoutMs);
    let response: Response;
    try {
      response = await fetch(url, {
        method: "POST",
        // A redirect would take the request to a server that nobody has configured.
        redirect: "manual",
        signal: AbortSignal.any([signal, limit]),
        headers: {
          "content-type": "application/json",
          "user-agent": "qumo-relay",
          "qumo-event": event.event,
          "qumo-event-id": event.id,
          [SIGNATURE_HEADER]: signatureOf(secret, Math.floor(clock.wallMs() / 1000), body),
        },
        body,
      });
    } catch (cause) {
      const why = limit.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(cause);
      throw new HookFailed(`Cannot POST to ${where}: ${why}`, true, { cause });
    }
    if (response.status >= 200 && response.status < 300) {
      await response.body?.cancel().catch(() => {});
      return;
    }
    const said = await beginningOf(response);
    const { status } = response;
    const redirect = status >= 300 && status < 400 ? " (redirects are not followed)" : "";
    const reason = `it answers ${status}${redirect}${said === "" ? "" : `: ${said}`}`;
    throw new HookFailed(`Cannot POST to ${where}: ${reason}`, isPassing(status));
  };
}

/** Statuses after which another attempt may succeed. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/** The secret. One in a file is read anew. @throws {HookFailed} */
async function secretOf({ secret, secretFile }: HookConfig): Promise<string> {
  if (secretFile === undefined) return secret!;
  try {
    const text = (await Deno.readTextFile(secretFile)).trim();
    if (text !== "") return text;
  } catch (cause) {
    const message = `Cannot sign: ${secretFile} cannot be read: ${reasonOf(cause)}`;
    throw new HookFailed(message, true, { cause });
  }
  throw new HookFailed(`Cannot sign: ${secretFile} is empty`, true);
}

/** The beginning of an answer, as one line. The rest is not read. */
async function beginningOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  try {
    const { value } = await reader.read();
    const text = new TextDecoder().decode(value?.subarray(0, SHOWN_BYTES));
    return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  } catch { // it broke off or took too long
    return "";
  } finally {
    await reader.cancel().catch(() => {});
  }
}
