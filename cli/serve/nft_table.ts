/**
 * The nftables table that spreads the public UDP port over the ports of the workers.
 *
 * @module
 */
import { type Address, isIpv4, isIpv6 } from "../../config/address.ts";

/** The name of the table, one per public port. */
export function tableName(port: number): string {
  return `qumo_relay_${port}`;
}

/** Commands for `nft -f` that remove the table, whether it exists or not. */
export function removal(port: number): string {
  // Declared first, because deleting a missing table is an error.
  return `table inet ${tableName(port)} {\n}\ndelete table inet ${tableName(port)}\n`;
}

/**
 * The table, in place of the one that may be there. Who came by one address and port stays with one worker: the choice is
 * made with a connection's first packet, and remembered for the rest.
 *
 * @param address Where the server listens; of a single address only packets for that one are touched.
 * @param workers At least 2.
 */
export function portsTable({ hostname, port }: Address, workers: number): string {
  const ports = Array.from({ length: workers }, (_, i) => `${i} : ${port + i}`).join(", ");
  const spread = (ip: "ip" | "ip6") =>
    `redirect to : jhash ${ip} saddr . udp sport mod ${workers} map { ${ports} }`;
  const everywhere = ["0.0.0.0", "::"].includes(hostname);
  const only = (ip: "ip" | "ip6") => everywhere ? "" : `${ip} daddr ${hostname} `;
  const rules = [
    ...isIpv6(hostname) && !everywhere ? [] : [
      `meta nfproto ipv4 ${isIpv4(hostname) ? only("ip") : ""}udp dport ${port} ${spread("ip")}`,
    ],
    ...isIpv4(hostname) ? [] : [
      `meta nfproto ipv6 ${isIpv6(hostname) ? only("ip6") : ""}udp dport ${port} ${spread("ip6")}`,
    ],
  ];
  return [
    removal(port) + `table inet ${tableName(port)} {`,
    "  chain prerouting {",
    "    type nat hook prerouting priority dstnat; policy accept;",
    ...rules.map((rule) => `    ${rule}`),
    "  }",
    "}",
    "",
  ].join("\n");
}
