/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { PinnedCertificate } from "./access.ts";
import { pageAccess } from "./page_access.ts";

/** The relay's certificate; `undefined` while it is not known. Asked anew with each change of `turn`. */
export function useCertificate(turn: unknown = ""): PinnedCertificate | undefined {
  const [certificate, setCertificate] = useState<PinnedCertificate>();
  useEffect(() => {
    let over = false;
    void pageAccess().certificate().then((found) => {
      if (!over && found !== undefined) setCertificate(found);
    });
    return () => {
      over = true;
    };
  }, [turn]);
  return certificate;
}
