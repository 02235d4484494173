/**
 * Metrics of the media that flows through the relay, and of the memory it uses.
 *
 * @module
 */
import type { Metric, MetricSection } from "./metric.ts";
import type { FramePoolStats } from "../relay/group/frame_pool.ts";
import type { RelayStats } from "../relay/stats.ts";

/** A counter that shows one number of the media path. */
const media = (name: string, field: keyof RelayStats, help: string): Metric => ({
  name,
  type: "counter",
  help,
  read: (snapshot) => snapshot.media[field],
});

const pool = (
  name: string,
  type: Metric["type"],
  field: keyof FramePoolStats,
  help: string,
): Metric => ({ name, type, help, read: (snapshot) => snapshot.pool[field] });

export const MEDIA: MetricSection = {
  title: "Media",
  metrics: [
    {
      name: "qumo_broadcasts",
      type: "gauge",
      help: "Broadcasts there are now: announced, or kept for a publisher that was lost.",
      labels: { state: ["live", "lingering"] },
      read: ({ broadcasts }) => [
        [{ state: "live" }, broadcasts.live],
        [{ state: "lingering" }, broadcasts.lingering],
      ],
    },
    {
      name: "qumo_tracks",
      type: "gauge",
      help: "Tracks that are read now or were a moment ago.",
      read: ({ tracks }) => tracks,
    },
    {
      name: "qumo_subscriptions",
      type: "gauge",
      help: "Subscriptions open now: served to peers, and our own at publishers and other relays.",
      labels: { side: ["served", "upstream"] },
      read: ({ subscriptions }) => [
        [{ side: "served" }, subscriptions.served],
        [{ side: "upstream" }, subscriptions.upstream],
      ],
    },
    {
      name: "qumo_subscriptions_opened_total",
      type: "counter",
      help: "Subscriptions that were opened, by side as in qumo_subscriptions.",
      labels: { side: ["served", "upstream"] },
      read: ({ media }) => [
        [{ side: "served" }, media.subscriptions],
        [{ side: "upstream" }, media.upstreamSubscriptions],
      ],
    },
    media("qumo_ingress_groups_total", "groupsIn", "Groups that came in."),
    media("qumo_ingress_frames_total", "framesIn", "Frames that came in whole."),
    media("qumo_ingress_bytes_total", "bytesIn", "Payload bytes of the frames that came in."),
    media("qumo_ingress_datagrams_total", "datagramsIn", "Datagrams that came in."),
    media(
      "qumo_ingress_groups_refused_total",
      "groupsRefused",
      "Groups not taken: they came twice, or too late.",
    ),
    media(
      "qumo_ingress_groups_cut_total",
      "groupsCut",
      "Groups whose source failed before their end.",
    ),
    media("qumo_egress_groups_total", "groupsOut", "Groups sent to subscribers."),
    media(
      "qumo_egress_frames_total",
      "framesOut",
      "Frames sent to subscribers, counted when their group ends.",
    ),
    media("qumo_egress_bytes_total", "bytesOut", "Media bytes sent to subscribers."),
    media("qumo_egress_datagrams_total", "datagramsOut", "Datagrams sent to subscribers."),
    media(
      "qumo_egress_datagrams_dropped_total",
      "datagramsDropped",
      "Datagrams a subscriber of moq-transport did not get: too large for its path.",
    ),
    media(
      "qumo_egress_groups_skipped_total",
      "groupsSkipped",
      "Groups a subscriber did not get because it was too slow.",
    ),
    media(
      "qumo_egress_groups_unconverted_total",
      "groupsUnconverted",
      "Groups a subscriber did not get, or not whole, because they could not be converted into its layout.",
    ),
    media(
      "qumo_egress_groups_cut_total",
      "groupsCutOut",
      "Groups that ended in the middle for a subscriber.",
    ),
    media("qumo_fetches_total", "fetches", "Single groups that were asked for by number."),
    media(
      "qumo_fetches_from_cache_total",
      "fetchesFromCache",
      "Of qumo_fetches_total, those answered without asking the publisher.",
    ),
    media(
      "qumo_fetches_from_storage_total",
      "fetchesFromArchive",
      "Of qumo_fetches_total, those answered with what the media storage keeps.",
    ),
    media(
      "qumo_streams_refused_total",
      "streamsRefused",
      "Streams of a type this relay does not know.",
    ),
    {
      name: "qumo_malformed_total",
      type: "counter",
      help:
        "Streams and datagrams that could not be read. Each ends or is dropped alone; a session with too many is closed.",
      labels: { what: ["stream", "datagram"] },
      read: ({ media: { streamsMalformed, datagramsMalformed } }) => [
        [{ what: "stream" }, streamsMalformed],
        [{ what: "datagram" }, datagramsMalformed],
      ],
    },
    media(
      "qumo_announcements_looped_total",
      "loopsRefused",
      "Announcements refused because they had come through this relay, or through too many.",
    ),
    media(
      "qumo_announcements_refused_total",
      "announcementsRefused",
      "Announcements of broadcasts that the session may not publish.",
    ),
    media(
      "qumo_requests_refused_total",
      "requestsRefused",
      "Requests for broadcasts that the session may not read.",
    ),
    media(
      "qumo_track_requests_refused_total",
      "tracksRefused",
      "Requests for a track of a broadcast whose publisher has yet to confirm the many that were asked for before.",
    ),
    media(
      "qumo_track_waits_refused_total",
      "waitsRefused",
      "Requests for tracks that nobody publishes yet, refused because too many wait.",
    ),
  ],
};

export const MEMORY: MetricSection = {
  title: "Memory of the frames",
  metrics: [
    {
      name: "qumo_cached_groups",
      type: "gauge",
      help: "Groups kept now for late joiners, over all tracks.",
      read: ({ groupsKept }) => groupsKept,
    },
    pool("qumo_frame_pool_slabs", "gauge", "inUse", "Slabs that hold frames now."),
    pool("qumo_frame_pool_used_bytes", "gauge", "bytesInUse", "Bytes of the slabs in use."),
    pool(
      "qumo_frame_pool_arena_bytes",
      "gauge",
      "arenaBytes",
      "Memory the pool has taken from the system.",
    ),
    pool("qumo_frame_pool_gets_total", "counter", "gets", "Slabs that were lent."),
    pool(
      "qumo_frame_pool_reused_total",
      "counter",
      "reused",
      "Of qumo_frame_pool_gets_total, those that had been lent before.",
    ),
    pool(
      "qumo_frame_pool_grown_total",
      "counter",
      "grown",
      "Of qumo_frame_pool_gets_total, those cut from new memory.",
    ),
  ],
};
