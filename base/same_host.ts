/** Whether a redirect stays on the host that was dialed. A peer must not send us and our token to another host. */
export function sameHost(uri: string, url: string): boolean {
  if (!URL.canParse(uri)) return false;
  const [to, from] = [new URL(uri), new URL(url)];
  return to.protocol === from.protocol && to.hostname === from.hostname;
}
