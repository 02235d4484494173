/**
 * Metrics of the media storage: absent where nothing is recorded.
 *
 * @module
 */
import type { Metric, MetricSection } from "./metric.ts";
import type { StorageNumbers } from "./snapshot.ts";

const storage = (
  name: string,
  type: Metric["type"],
  field: keyof StorageNumbers,
  help: string,
  per = 1,
): Metric => ({
  name,
  type,
  help,
  read: ({ storage }) => storage && storage[field] / per,
});

export const STORAGE: MetricSection = {
  title: "Media storage",
  metrics: [
    storage("qumo_storage_appends_total", "counter", "appends", "Frames that were kept."),
    storage("qumo_storage_appended_bytes_total", "counter", "appendedBytes", "Their bytes."),
    storage(
      "qumo_storage_append_seconds_total",
      "counter",
      "appendMs",
      "Time from append to kept, added up over the frames of qumo_storage_appends_total.",
      1000,
    ),
    storage(
      "qumo_storage_last_append_seconds",
      "gauge",
      "lastAppendMs",
      "Time from append to kept of the newest frame.",
      1000,
    ),
    storage(
      "qumo_storage_refused_total",
      "counter",
      "refused",
      "Frames that were not kept: the storage was away and what may wait was used up, or another relay keeps the track.",
    ),
    storage(
      "qumo_storage_retried_total",
      "counter",
      "retried",
      "Frames that were sent to the storage again.",
    ),
    storage(
      "qumo_storage_waiting_bytes",
      "gauge",
      "waitingBytes",
      "Bytes that were accepted and are not kept yet.",
    ),
    storage("qumo_storage_reads_total", "counter", "reads", "Times frames were read."),
    storage("qumo_storage_read_bytes_total", "counter", "readBytes", "Bytes that were read."),
    storage(
      "qumo_storage_read_seconds_total",
      "counter",
      "readMs",
      "Time the reads of qumo_storage_reads_total took together.",
      1000,
    ),
    storage(
      "qumo_storage_trimmed_frames_total",
      "counter",
      "trimmed",
      "Frames forgotten for age or size.",
    ),
    storage("qumo_storage_recorded_tracks", "gauge", "recording", "Tracks that are recorded now."),
    storage(
      "qumo_storage_tracks_not_recorded",
      "gauge",
      "notRecorded",
      "Tracks that should be recorded now and are not: there are too many, of one broadcast or of all.",
    ),
    storage(
      "qumo_storage_groups_lost_total",
      "counter",
      "groupsLost",
      "Groups of recorded tracks that were not kept, or not to their end.",
    ),
  ],
};
