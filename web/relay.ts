/// <reference lib="dom" />
/** What the relay that served this page says of itself: what is live, its certificate, where its admin interface is. */
import { useEffect, useState } from "preact/hooks";

const POLL_MS = 2000;

/** The relay, as a URL to connect to. */
export const RELAY_URL = new URL("/", location.href).href;

export interface Announced {
  /** Names of live broadcasts; absent until the first answer. */
  readonly live: readonly string[] | undefined;
  /** Whether the last question was answered. */
  readonly reachable: boolean;
}

/** What is live now, asked again and again while the page is seen. */
export function useAnnounced(): Announced {
  const [announced, setAnnounced] = useState<Announced>({ live: undefined, reachable: true });
  useEffect(() => {
    let over = false;
    const poll = async () => {
      const next = await askAnnounced();
      if (!over) setAnnounced((before) => next ?? { ...before, reachable: false });
    };
    void poll();
    const timer = setInterval(() => document.hidden || poll(), POLL_MS);
    const onVisible = () => document.hidden || void poll();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      over = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, []);
  return announced;
}

async function askAnnounced(): Promise<Announced | undefined> {
  try {
    const answer = await fetch("/announced", { cache: "no-store" });
    if (!answer.ok) return undefined;
    const live = (await answer.text()).split("\n").filter((name) => name !== "");
    return { live, reachable: true };
  } catch {
    return undefined;
  }
}

/** SHA-256 of the relay's certificate, in hexadecimal; `undefined` while it is not known. */
export function useCertificate(): string | undefined {
  const [hash, setHash] = useState<string>();
  useEffect(() => {
    fetch("/certificate.sha256", { cache: "no-store" })
      .then(async (answer) => answer.ok && setHash((await answer.text()).trim()))
      .catch(() => {}); // The view says already that the relay does not answer.
  }, []);
  return hash;
}

/** What keeps any browser from media here, whatever the relay does; `undefined` when nothing does. */
export function browserProblem(): string | undefined {
  if (!isSecureContext) {
    return "Browsers allow live media on https:// pages and on localhost only. Open this page in one of these " +
      "ways; over ssh, forward its port and open it as http://localhost.";
  }
  if (typeof VideoDecoder !== "function") {
    return "This browser has no WebCodecs, which decodes the media. Use a current Chrome, Edge, Firefox or Safari.";
  }
  return undefined;
}
