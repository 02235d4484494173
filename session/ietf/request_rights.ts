/**
 * Tokens of single requests: what the rights of the session do not allow, a token of the request itself may. One that the
 * session may make anyway pays nothing, and its token is not looked at.
 * Spec: draft-ietf-moq-transport-18, "AUTHORIZATION TOKEN".
 *
 * @module
 */
import type { Namespace, Rights } from "../../relay/namespace.ts";
import type { RequestWord } from "../../wire/ietf/codes.ts";
import type { Namespace as Fields } from "../../wire/ietf/names.ts";
import type { Parameters } from "../../wire/ietf/parameters.ts";
import { joinPath } from "../../wire/path.ts";
import type { SessionContext } from "../context.ts";
import type { Entry, RequestGrant, RequestWish } from "../session.ts";
import type { Exchange, RequestMessage } from "./exchange.ts";
import { Fault } from "./fault.ts";
import { pathOf } from "./names.ts";

/** Most tokens of one request that are looked at. */
const MAX_TOKENS = 4;
/** Most requests of one session whose tokens are checked at a time. */
const MAX_CHECKS = 16;
/** How many refused tokens a session may show in a second, and at once after a quiet while. */
const REFUSALS_PER_S = 20;
const REFUSALS_AT_ONCE = 100;

/** What the rights of requests are about. */
type Checked = Pick<SessionContext, "serve" | "consume" | "root" | "quota" | "clock">;

/** What a request wants to do. */
interface Want {
  readonly role: RequestWish["role"];
  /** How much of it some rights allow. */
  measure(rights: Rights): Reach;
}

type Reach = ReturnType<Rights["subscribesBelow"]>;

/** Why no token of a request allows it. */
export class TokenProblem {
  constructor(readonly word: RequestWord, readonly reason: string) {}
}

export class RequestRights {
  readonly #context: Checked;
  readonly #authorize: Entry["authorize"];
  #checks = 0;
  /** Refused tokens that are left, and when that was computed. */
  #left = REFUSALS_AT_ONCE;
  #atMs = 0;

  constructor(
    context: Checked,
    authorize: Entry["authorize"],
  ) {
    this.#context = context;
    this.#authorize = authorize;
  }

  /**
   * Checks the tokens of a request if its session may not make it.
   * @returns What the request is served by, or why it is not; `undefined` if the session's own rights decide.
   */
  of({ request }: Exchange): Promise<Granted | TokenProblem> | undefined {
    const asked = request as RequestMessage;
    const { tokens = [] } = asked.value.parameters;
    if (tokens.length === 0 || this.#authorize === undefined) return undefined;
    const want = wantOf(asked, this.#context.root);
    if (want === undefined || measured(want, this.#context) === "all") return undefined;
    return this.#judged(want, tokens);
  }

  async #judged(
    want: Want,
    tokens: NonNullable<Parameters["tokens"]>,
  ): Promise<Granted | TokenProblem> {
    const grant = await this.#granted(want, tokens);
    if (grant instanceof TokenProblem) return grant;
    const renew = ({ tokens = [] }: Parameters) => this.#granted(want, tokens);
    return new Granted(grant, renew);
  }

  /** Whether one more token may be refused. */
  get #mayFail(): boolean {
    const now = this.#context.clock.now();
    const earned = (now - this.#atMs) * REFUSALS_PER_S / 1000;
    this.#left = Math.min(REFUSALS_AT_ONCE, this.#left + earned);
    this.#atMs = now;
    return this.#left >= 1;
  }

  /** The rights by the first token that allows what is wanted. */
  async #granted(
    want: Want,
    tokens: NonNullable<Parameters["tokens"]>,
  ): Promise<RequestGrant | TokenProblem> {
    if (tokens.length > MAX_TOKENS) return problem("unauthorized", "too many tokens");
    if (this.#checks >= MAX_CHECKS) return problem("overloaded", "too many tokens are checked");
    if (!this.#mayFail) return problem("overloaded", "too many tokens were refused");
    this.#checks++;
    try {
      let first: TokenProblem | undefined;
      for (const token of tokens) {
        if (token.kind !== "value") continue;
        // A check is work, so each counts as a message.
        await this.#context.quota.message();
        const { role } = want;
        const grant = await this.#authorize!({
          role,
          token: { kind: token.type, value: token.value },
        });
        if (typeof grant !== "string" && measured(want, grant) !== "nothing") return grant;
        this.#left--;
        if (typeof grant === "string") first ??= problem(grant, "the token is not taken");
        else {
          grant.end();
          first ??= problem("unauthorized", "the token does not allow it");
        }
      }
      return first ?? problem("unauthorized", "there is no token");
    } finally {
      this.#checks--;
    }
  }
}

/** The rights of one request. Who uses them keeps them; the last one to leave ends them. */
export class Granted {
  #grant: RequestGrant;
  readonly #renew: (changes: Parameters) => Promise<RequestGrant | TokenProblem>;
  readonly #told = new Set<(why: string) => void>();
  #users = 1;
  #lost: string | undefined;

  /** @param renew Asks again, with other tokens. */
  constructor(
    grant: RequestGrant,
    renew: (changes: Parameters) => Promise<RequestGrant | TokenProblem>,
  ) {
    this.#grant = grant;
    this.#renew = renew;
    this.#follow(grant);
  }

  get serve(): Namespace | undefined {
    return this.#grant.serve;
  }

  get consume(): Namespace | undefined {
    return this.#grant.consume;
  }

  /** Calls back once when the rights are over: at once if they are. @returns What takes the call back. */
  onLost(callback: (why: string) => void): () => void {
    if (this.#lost === undefined) this.#told.add(callback);
    else callback(this.#lost);
    return () => this.#told.delete(callback);
  }

  /** Takes what an update shows instead of the first token, if it shows any. @returns Why it cannot be taken. */
  async update(changes: Parameters): Promise<TokenProblem | undefined> {
    if ((changes.tokens ?? []).length === 0) return undefined;
    const grant = await this.#renew(changes);
    if (grant instanceof TokenProblem) return grant;
    if (this.#users === 0) return void grant.end();
    this.#grant.end();
    this.#grant = grant;
    this.#follow(grant);
    return undefined;
  }

  /** One more uses them. */
  keep(): this {
    this.#users++;
    return this;
  }

  /** One less uses them. */
  leave(): void {
    if (--this.#users === 0) this.#grant.end();
  }

  #follow(grant: RequestGrant): void {
    grant.onLost((why) => {
      if (grant !== this.#grant || this.#users === 0) return;
      this.#lost = why;
      for (const tell of [...this.#told]) tell(why);
      this.#told.clear();
    });
  }
}

/** No token is kept here, so none has an alias. @throws {Fault} */
export function checkTokens({ tokens = [] }: Parameters): void {
  for (const { kind } of tokens) {
    if (kind === "value") continue;
    const [word, detail] = kind === "register"
      ? ["tokenCacheOverflow", "a token to be kept, but none is"] as const
      : ["unknownTokenAlias", "a token by its alias"] as const;
    throw new Fault(word, "AUTHORIZATION_TOKEN", detail);
  }
}

/** What a request is about. A fetch that joins has the rights of its subscription. */
function wantOf({ kind, value }: RequestMessage, root: string): Want | undefined {
  const at = (namespace: Fields) => joinPath(root, pathOf(namespace));
  const toSubscribe = (namespace: Fields): Want => {
    const path = at(namespace);
    const measure = (rights: Rights) => rights.maySubscribe(path) ? "all" : "nothing";
    return { role: "subscriber", measure };
  };
  if (kind === "subscribe" || kind === "trackStatus") return toSubscribe(value.namespace);
  if (kind === "fetch") {
    return value.target.kind === "track" ? toSubscribe(value.target.namespace) : undefined;
  }
  if (kind === "publish" || kind === "publishNamespace") {
    const path = at(value.namespace);
    const measure = (rights: Rights) => rights.mayPublish(path) ? "all" : "nothing";
    return { role: "publisher", measure };
  }
  const prefix = at(value.prefix);
  return { role: "subscriber", measure: (rights) => rights.subscribesBelow(prefix) };
}

function measured(
  { role, measure }: Want,
  { serve, consume }: Pick<Entry, "serve" | "consume">,
): Reach {
  const here = role === "publisher" ? consume : serve;
  if (here === undefined) return "nothing";
  return here.rights === undefined ? "all" : measure(here.rights);
}

function problem(word: RequestWord, reason: string): TokenProblem {
  return new TokenProblem(word, reason);
}
