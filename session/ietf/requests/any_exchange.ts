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

/** Updates of ours that may wait for their answer. Viewers cause them, so of more only the last one goes out. */
export const MAX_UNANSWERED = 8;

/** Takes the answer to an update: what the peer says with it, or nothing. */
export type OnAnswer = (said: Parameters | undefined) => void;

/** What to do with a message of the peer: hand it on, stop there, or skip it. */
export type Heard = "next" | "end" | "nothing";

/** What exchanges have in common on whatever streams. */
export abstract class AnyExchange implements Exchange {
  /** Nothing is sent any more. */
  protected over = false;
  /** The peer has said its last word. */
  protected peerOver = false;
  /** Our updates that wait for their answer, where that names no request. */
  protected readonly unanswered: OnAnswer[] = [];
  /** How many wait, and the last one that is not sent because of that. */
  #waiting = 0;
  #next: (() => void) | undefined;
  #answered = false;

  /** @param ours Whether we have asked. */
  constructor(
    protected readonly context: IetfContext,
    readonly id: number,
    readonly request: RequestMessage,
    readonly ours: boolean,
  ) {}

  abstract next(): Promise<ControlMessage | undefined>;
  abstract finish(): void;
  abstract cancel(word?: RequestWord): void;
  abstract readonly out: SendStream;
  protected abstract write(bytes: Uint8Array): void;
  /** Sends an update. @param onAnswer Called once: when it is answered, or is sent and has no answer. */
  protected abstract sendUpdate(parameters: Parameters, onAnswer: OnAnswer): void;

  update(parameters: Parameters, onAccepted?: OnAccepted): void {
    if (this.over) return;
    if (this.#waiting === MAX_UNANSWERED) {
      this.#next = () => this.update(parameters, onAccepted);
      return;
    }
    this.#waiting++;
    this.sendUpdate(parameters, (said) => {
      this.#waiting--;
      if (said !== undefined) onAccepted?.(said);
      const next = this.#next;
      this.#next = undefined;
      next?.();
    });
  }

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
        this.unanswered.shift()!(kind === "requestOk" ? value.parameters : undefined);
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
