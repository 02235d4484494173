/** The events that hooks are told of. */
import type { HookEventName } from "../../config/hook_list.ts";
import type { RecordingDone } from "../../plugins/plugin.ts";

/** The JSON body of a webhook. */
export interface HookEvent {
  /** Unique to the event. Every attempt to send it has the same. */
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

/** Events that cancel each other. */
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
