/** Signals that end the program, and the exit code a shell expects of a program they killed. */
const SIGNALS: Partial<Record<Deno.Signal, number>> = Deno.build.os === "windows"
  ? { SIGINT: 130, SIGBREAK: 149 }
  : { SIGINT: 130, SIGTERM: 143 };

export interface ShutdownHandlers {
  /** The first signal: begin to end. */
  readonly graceful: (signal: Deno.Signal) => void;
  /** The second: end now, with this exit code. */
  readonly immediate: (exitCode: number) => void;
}

export interface HangupHandlers {
  readonly reload: () => void;
  /** The terminal that the program was started from was closed: nobody could end it there any more. */
  readonly closed: () => void;
}

/** Listens for SIGHUP until disposed. Windows has no such signal for this. */
export function onHangup({ reload, closed }: HangupHandlers): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose]() {} };
  const before = onTerminal();
  const listener = () => before && !onTerminal() ? closed() : reload();
  Deno.addSignalListener("SIGHUP", listener);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", listener) };
}

const onTerminal = () =>
  [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());

/** Listens for SIGINT and SIGTERM until disposed. */
export function onShutdownSignal(handlers: ShutdownHandlers): Disposable {
  let asked = false;
  const listeners = Object.entries(SIGNALS).map(([name, exitCode]) => {
    const signal = name as Deno.Signal;
    const listener = () => {
      if (asked) return handlers.immediate(exitCode);
      asked = true;
      handlers.graceful(signal);
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  return {
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
