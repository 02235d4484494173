/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { WhereJson } from "../../admin/shapes.ts";

const LOOK_MS = 10_000;

/** Says that the relay lets everybody publish and watch where nobody asked for it, and which line closes it. */
export function OpenWarning({ visible }: { readonly visible: boolean }) {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (!visible) return;
    const look = async () => {
      const answer = await fetch("/api/where", { cache: "no-store" }).catch(() => undefined);
      if (answer?.ok !== true) return;
      const { openToEverybody }: WhereJson = await answer.json();
      setOpen(openToEverybody === true);
    };
    void look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [visible]);
  if (!open) return null;
  return (
    <section id="open-warning" class="card notice" role="alert">
      <h2>This relay is open to everybody</h2>
      <p>
        Whoever reaches it may publish and watch everything, without a token. To close it, write
        this line in its configuration:
      </p>
      <p>
        <code>{"auth: { required: true }"}</code>
      </p>
      <p>
        To keep it open, write <code>{"auth: { anonymous: true }"}</code>.
      </p>
    </section>
  );
}
