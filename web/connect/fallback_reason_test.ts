import assert from "node:assert/strict";
import { fallbackReason } from "./fallback_reason.ts";

Deno.test("fallbackReason() tells what is known of the cause, and what to do", () => {
  const facts = { webTransport: true, url: "https://relay.example/", certificate: "pin" as const };
  const cases = [
    [{ webTransport: false }, /this browser has no WebTransport/i],
    [{ certificate: "refused" as const }, /self-signed.*at most 14 days/],
    [{ url: "http://localhost:4433/" }, /open http:\/\/127\.0\.0\.1:4433\/ or/],
    [{ certificate: "signed" as const }, /UDP to port 443 .*who signed the certificate/],
    [{ url: "http://127.0.0.1:4433/" }, /UDP to port 4433 may be held back on the way\.$/],
  ] as const;
  for (const [change, text] of cases) assert.match(fallbackReason({ ...facts, ...change }), text);
});
