/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

interface CopyProps {
  readonly id?: string;
  /** What goes to the clipboard. */
  readonly text: string;
  /** What is copied, for those who do not see it: "Copy the command". */
  readonly label: string;
  readonly class?: string;
  readonly children?: ComponentChildren;
}

/** Copies a text and says so. */
export function CopyButton({ id, text, label, class: style, children = "Copy" }: CopyProps) {
  const [said, setSaid] = useState<string>();
  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), 1800);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch { // Not allowed here, as on pages that are not secure.
      setSaid("Not allowed");
    }
  };
  return (
    <button {...(id && { id })} type="button" class={style} aria-label={label} onClick={copy}>
      {said ?? children}
      <span class="unseen" role="status">{said}</span>
    </button>
  );
}
