/** What a hook is told. */
import type { HookEventName } from "../../config/hook_list.ts";
import type { RecordingDone } from "../../plugins/plugin.ts";

/** The body of a webhook, as it stands in JSON. */
export interface HookEvent {
  /** The same in every attempt to send it, and in no other event. */
  readonly id: string;
  readonly event: HookEventName;
  /** Path of the broadcast, exactly as the publisher announced it. */
  readonly broadcast: string;
  /** ISO 8601. */
  readonly at: string;
  /** Hop id of the relay. */
  readonly relay: string;
  /** With recording_done. */
  readonly recording?: RecordingDone & {
    /** Instance of the plugin that made it. */
    readonly plugin: string;
  };
}

/** Events that take each other back. */
export function opposites(a: HookEvent, b: HookEvent): "same" | "opposite" | "unrelated" {
  const [first, second] = [PAIR[a.event], PAIR[b.event]];
  if (first === undefined || first !== second) return "unrelated";
  return a.event === b.event ? "same" : "opposite";
}

const PAIR: Readonly<Record<HookEventName, "publication" | "viewers" | undefined>> = {
  publish: "publication",
  unpublish: "publication",
  first_viewer: "viewers",
  last_viewer: "viewers",
  recording_done: undefined,
};
