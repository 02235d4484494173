/** What the publish view says, for every state there is. */
import { inSentence, visible } from "../../base/visible_text.ts";
import type { ClientStatus } from "../../client/reconnect.ts";
import type { RelaySaid } from "../connect/relay_said.ts";

export type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "opening" }
  | { readonly kind: "connecting" }
  | { readonly kind: "live"; readonly status: ClientStatus | undefined; readonly read: boolean }
  | { readonly kind: "failed"; readonly reason: string };

export interface PublishSaid {
  readonly text: string;
  readonly kind: "idle" | "wait" | "live" | "problem";
}

/**
 * One sentence or two on how it goes.
 *
 * @param relay What is said of the relay when it does not let us in.
 */
export function publishSaid(
  phase: Phase,
  name: string,
  relay?: Pick<RelaySaid, "text" | "kind">,
): PublishSaid {
  switch (phase.kind) {
    case "idle":
      return { kind: "idle", text: "Not live. Nothing leaves this browser until you go live." };
    case "opening":
      return { kind: "wait", text: "Asking for the device. The browser may want your permission." };
    case "connecting":
      return { kind: "wait", text: "Connecting to the relay …" };
    case "failed":
      return { kind: "problem", text: phase.reason };
    case "live":
      // The page notices a lost session late, and a relay that is gone soon.
      if (relay !== undefined && phase.status?.state !== "closed") return lostSaid(phase, relay);
      return liveSaid(phase.status, phase.read, name);
  }
}

function lostSaid(
  { status }: Extract<Phase, { kind: "live" }>,
  { text, kind }: Pick<RelaySaid, "text" | "kind">,
): PublishSaid {
  const attempt = status?.state === "reconnecting" ? ` (attempt ${status.attempt})` : "";
  return {
    kind,
    text: kind === "problem" ? text : `${text} The connection was lost. Trying again${attempt}.`,
  };
}

function liveSaid(status: ClientStatus | undefined, read: boolean, name: string): PublishSaid {
  if (status?.state === "reconnecting") {
    return {
      kind: "wait",
      text:
        `The connection to the relay was lost. Trying again (attempt ${status.attempt}). Viewers go on ` +
        "once it is back.",
    };
  }
  if (status?.state === "moving") {
    return {
      kind: "live",
      text: "The relay is closing and sends us on: connecting anew, viewers stay.",
    };
  }
  if (status?.state === "closed") {
    return {
      kind: "problem",
      text: `The relay ended the session${
        status.reason === "" ? "" : ` (${status.reason})`
      }. Go live again.`,
    };
  }
  return {
    kind: "live",
    text: read
      ? `${inSentence(name)} is live, and being watched.`
      : `${inSentence(name)} is live. Nobody watches yet.`,
  };
}

/** What is wrong with a name, as a sentence; `undefined` for a good one. */
export function nameProblem(name: string, live: readonly string[]): string | undefined {
  if (name.trim() === "") return "Give the broadcast a name.";
  if (/[\r\n]/.test(name)) return "A name is one line.";
  if (name !== name.trim()) return "A name neither begins nor ends with a space.";
  const plain = name.replaceAll("\\", "/");
  if (visible(plain) !== plain) {
    return `Leave out what cannot be seen: ${inSentence(name)}.`;
  }
  if (name.split("/").some((part) => part.startsWith("."))) {
    return 'Parts of a name do not begin with ".": such broadcasts are hidden.';
  }
  if (name.length > 200) return "Shorten the name to 200 characters.";
  if (live.includes(name)) {
    return `${inSentence(name)} is live already. Choose another name, or viewers may get either.`;
  }
  return undefined;
}
