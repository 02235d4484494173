/// <reference lib="dom" />
/** What a browser lacks for live media; `undefined` when it has all. */
export function missingInBrowser(): "secure context" | "WebCodecs" | undefined {
  if (!isSecureContext) return "secure context";
  return typeof VideoDecoder === "function" ? undefined : "WebCodecs";
}

const SAID = {
  "secure context":
    "Browsers allow live media on https:// pages and on localhost only. Open this page in one of these " +
    "ways; over ssh, forward its port and open it as http://localhost.",
  "WebCodecs":
    "This browser has no WebCodecs, which decodes the media. Use a current Chrome, Edge, Firefox or Safari.",
} as const;

/** What keeps any browser from media here, whatever the relay does; `undefined` when nothing does. */
export function browserProblem(): string | undefined {
  const missing = missingInBrowser();
  return missing && SAID[missing];
}
