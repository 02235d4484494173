import type { SendStream } from "../../../transport/connection.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import { requestCode, type RequestWord } from "../../../wire/ietf/codes.ts";
import type { ControlMessage, Kind, Messages } from "../../../wire/ietf/dialect.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import type { IetfContext } from "../context.ts";
import type { Exchange, OnAccepted, RequestMessage } from "../exchange.ts";
import { checkTokens } from "../request_rights.ts";
import { isAnswer, isEnd, isLast, mayHear } from "./expected.ts";

const EMPTY: Uint8Array = new Uint8Array();

/** What to do with a message of the peer: hand it on, stop there, or skip it. */
export type Heard = "next" | "end" | "nothing";

/** What exchanges have in common on whatever streams. */
export abstract class AnyExchange implements Exchange {
  /** Nothing is sent any more. */
  protected over = false;
  /** The peer has said its last word. */
  protected peerOver = false;
  /** Our updates that wait for their answer, where that names no request. */
  protected readonly unanswered: (OnAccepted | undefined)[] = [];
  #answered = false;

  /** @param ours Whether we have asked. */
  constructor(
    protected readonly context: IetfContext,
    readonly id: number,
    readonly request: RequestMessage,
    readonly ours: boolean,
  ) {}

  abstract next(): Promise<ControlMessage | undefined>;
  abstract update(parameters: Parameters, onAccepted?: OnAccepted): void;
  abstract finish(): void;
  abstract cancel(word?: RequestWord): void;
  abstract readonly out: SendStream;
  protected abstract write(bytes: Uint8Array): void;

  send<K extends Kind>(kind: K, value: Omit<Messages[K], "requestId">): void {
    if (this.over) return;
    const whole = { ...value, requestId: this.id } as unknown as Messages[K];
    this.write(this.context.dialect.encode(kind, whole, this.request.kind));
  }

  acceptUpdate({ requestId }: Messages["update"], parameters: Parameters = {}): void {
    const { dialect } = this.context;
    if (this.over || !dialect.answers("requestOk", "update")) return;
    const ok = { requestId, parameters, properties: EMPTY };
    this.write(dialect.encode("requestOk", ok, "update"));
  }

  refuseUpdate({ requestId }: Messages["update"], word: RequestWord, reason: string): void {
    const { dialect, profile } = this.context;
    if (this.over || !dialect.answers("requestError", "update")) return;
    const code = requestCode(profile, "update", word);
    const error = { requestId, code, retryMs: undefined, reason, redirect: undefined };
    this.write(dialect.encode("requestError", error, "update"));
  }

  refuse(word: RequestWord, reason: string): void {
    const code = requestCode(this.context.profile, this.request.kind, word);
    this.send("requestError", { code, retryMs: undefined, reason, redirect: undefined });
    this.finish();
  }

  /** @throws {ProtocolViolation} The peer may not say this here. */
  protected heard({ kind, value }: ControlMessage): Heard {
    const { request: { kind: asked }, ours } = this;
    if (isAnswer(kind)) {
      const second = !ours || this.#answered;
      const ofUpdate = second && this.unanswered.length > 0;
      if (ofUpdate && (kind === "requestOk" || kind === "requestError")) {
        const onAccepted = this.unanswered.shift();
        if (kind === "requestOk") onAccepted?.(value.parameters);
        return "nothing";
      }
      if (second) throw new ProtocolViolation(asked, `${kind}, which nothing is left for`);
      this.#answered = true;
    }
    if (kind === "goaway") return "nothing"; // of this request alone: it goes on as long as the peer lets it
    if (!mayHear(kind, asked, ours)) {
      throw new ProtocolViolation(asked, `${kind} has no place there`);
    }
    if (kind === "update") checkTokens(value.parameters);
    if (isLast(kind)) this.peerOver = true;
    return isEnd(kind) ? "end" : "next";
  }
}
