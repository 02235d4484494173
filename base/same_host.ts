/** Whether a redirect stays on the host that was dialed: a peer must not send us, with our token, anywhere else. */
export function sameHost(uri: string, url: string): boolean {
  if (!URL.canParse(uri)) return false;
  const [to, from] = [new URL(uri), new URL(url)];
  return to.protocol === from.protocol && to.hostname === from.hostname;
}
