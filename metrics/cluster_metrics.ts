/**
 * Metrics of the links to other relays, and of the directories that name them.
 *
 * @module
 */
import type { MetricSection, Sample } from "./metric.ts";

const LINK = ["link", "role"] as const;

export const CLUSTER: MetricSection = {
  title: "Cluster",
  metrics: [
    {
      name: "qumo_cluster_nodes",
      type: "gauge",
      help: "Other nodes that the directories name.",
      read: ({ cluster }) => cluster.nodes,
    },
    {
      name: "qumo_cluster_directory_reachable",
      type: "gauge",
      help: "1 where the last look into a directory succeeded, else 0; its nodes stay meanwhile.",
      open: ["directory"],
      read: ({ cluster }) =>
        cluster.directories.map(({ kind, reachable }): Sample => [{ directory: kind }, reachable]),
    },
    {
      name: "qumo_link_connected",
      type: "gauge",
      help:
        "1 while there is a session with another relay, whoever dialed it, else 0. The label is its URL, or other where the " +
        "relay has dialed us and no directory knows it.",
      open: LINK,
      read: ({ cluster }) =>
        cluster.links.map(({ link, role, connected }): Sample => [{ link, role }, connected]),
    },
    {
      name: "qumo_link_attempts_total",
      type: "counter",
      help: "Times that relay was dialed.",
      open: LINK,
      read: ({ cluster }) =>
        cluster.links.map(({ link, role, attempts }): Sample => [{ link, role }, attempts]),
    },
    {
      name: "qumo_link_connects_total",
      type: "counter",
      help: "Times a session with that relay came up that was dialed here.",
      open: LINK,
      read: ({ cluster }) =>
        cluster.links.map(({ link, role, connects }): Sample => [{ link, role }, connects]),
    },
    {
      name: "qumo_link_announcements",
      type: "gauge",
      help: "Broadcasts that the other relay announces over the link now.",
      open: LINK,
      read: ({ cluster }) =>
        cluster.links.map(({ link, role, announcements }): Sample => [
          { link, role },
          announcements,
        ]),
    },
    {
      name: "qumo_link_subscriptions",
      type: "gauge",
      help: "Subscriptions open over the link now: served to the other relay, and ours there.",
      open: [...LINK, "side"],
      read: ({ cluster }) =>
        cluster.links.flatMap(({ link, role, served, upstream }): Sample[] => [
          [{ link, role, side: "served" }, served],
          [{ link, role, side: "upstream" }, upstream],
        ]),
    },
    {
      name: "qumo_link_cost",
      type: "gauge",
      help: "What a route over the link costs more.",
      open: LINK,
      read: ({ cluster }) =>
        cluster.links.map(({ link, role, cost }): Sample => [{ link, role }, cost]),
    },
  ],
};
