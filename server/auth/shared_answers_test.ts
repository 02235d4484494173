import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { fullGrant, type Refusal, refusal } from "./grant.ts";
import type { AuthRequest } from "./request.ts";
import {
  BURST,
  KEEP_MS,
  type Leased,
  MAX_ASKING,
  MAX_ASKING_PER_ADDRESS,
  RATE,
  REFUSED_MS,
  SharedAnswers,
  UNAVAILABLE_MS,
} from "./shared_answers.ts";

/** An auth server that says yes, once it is let. */
function asked(answer: (request: AuthRequest) => Refusal | undefined = () => undefined) {
  const clock = new ManualClock();
  const questions: string[] = [];
  const ends: string[] = [];
  const revokes: ((why: string) => void)[] = [];
  let gate = Promise.resolve();
  const shared = new SharedAnswers({
    clock,
    connect: async (request): Promise<Leased | Refusal> => {
      questions.push(`${request.path}?${request.query}`);
      await gate;
      const lease = {
        onRevoked: (callback: (why: string) => void) => void revokes.push(callback),
        end: (why: string) => void ends.push(why),
      };
      return answer(request) ?? { grant: fullGrant("live"), lease };
    },
  });
  const ask = (more: Partial<AuthRequest> = {}) =>
    shared.connect({ path: "/live", query: "", remote: "192.0.2.1:5", transport: "http", ...more });
  /** Nobody is answered until it is called back. */
  const hold = () => {
    const held = Promise.withResolvers<void>();
    gate = held.promise;
    return held.resolve;
  };
  return { clock, shared, ask, hold, questions, ends, revokes };
}

const reasonOf = (answer: Leased | Refusal) => "reason" in answer ? answer.reason : "granted";

async function granted(answer: Promise<Leased | Refusal>): Promise<Leased> {
  const given = await answer;
  if ("reason" in given) throw new Error(given.message);
  return given;
}

Deno.test("Requests that ask the same are one question, under way and while they go on", async () => {
  const at = asked();
  const let_ = at.hold();
  const first = [at.ask(), at.ask({ remote: "192.0.2.1:6" }), at.ask({ query: "_HLS_msn=7" })];
  let_();
  for (const { lease } of await Promise.all(first.map(granted))) lease.end("closed");
  for (let second = 0; second < 60; second++) {
    at.clock.advance(1000);
    (await granted(at.ask({ query: `_HLS_msn=${second}&_HLS_part=1` }))).lease.end("closed");
  }
  assert.deepEqual([at.questions, at.ends], [["/live?"], []]);
  at.clock.advance(KEEP_MS);
  assert.deepEqual([at.ends, at.shared.size], [["closed"], 0]);
});

Deno.test("Another path, token, address or query is another question", async () => {
  const at = asked();
  const other = [{}, { path: "/x" }, { query: "jwt=a" }, { bearer: "a" }, {
    remote: "192.0.2.2:5",
  }];
  for (const more of other) await at.ask(more);
  assert.equal(at.questions.length, other.length);
});

Deno.test("An answer that goes on holds the lease, and hears when it is taken back, as do all that share it", async () => {
  const at = asked();
  const [one, two] = [await granted(at.ask()), await granted(at.ask())];
  const heard: string[] = [];
  for (const { lease } of [one, two]) {
    lease.onRevoked((why) => {
      heard.push(why);
      lease.end(why);
    });
  }
  at.clock.advance(10 * KEEP_MS);
  assert.deepEqual([at.ends, at.questions.length], [[], 1]);
  at.revokes[0]!("grant narrowed");
  assert.deepEqual([heard, at.ends], [["grant narrowed", "grant narrowed"], ["grant narrowed"]]);
  await at.ask();
  assert.equal(at.questions.length, 2, "what was taken back is asked for anew");
});

Deno.test("What the auth server refuses is asked again after a while only, and that it is silent sooner", async () => {
  for (
    const [reason, ms] of [["server_refused", REFUSED_MS], ["unavailable", UNAVAILABLE_MS]] as const
  ) {
    const at = asked(() => refusal(reason, "no"));
    for (let i = 0; i < 50; i++) assert.equal(reasonOf(await at.ask()), reason);
    assert.equal(at.questions.length, 1);
    at.clock.advance(ms - 1);
    await at.ask();
    assert.equal(at.questions.length, 1, `${reason} is remembered for ${ms} ms`);
    at.clock.advance(1);
    await at.ask();
    assert.equal(at.questions.length, 2);
  }
});

Deno.test("One address asks so many other questions at once and in a second; others still ask", async () => {
  const at = asked(() => refusal("server_refused", "no"));
  const let_ = at.hold();
  const flood = Array.from({ length: 50 }, (_, i) => at.ask({ query: `x=${i}` }));
  const other = at.ask({ remote: "192.0.2.2:5" });
  assert.equal(at.questions.length, MAX_ASKING_PER_ADDRESS + 1);
  let_();
  assert.equal(
    (await Promise.all(flood)).map(reasonOf).filter((r) => r === "address_full").length,
    50 - MAX_ASKING_PER_ADDRESS,
  );
  assert.equal(reasonOf(await other), "server_refused");
  const before = at.questions.length;
  for (let i = 0; i < 500; i++) await at.ask({ query: `y=${i}` });
  assert.equal(at.questions.length - before, BURST - MAX_ASKING_PER_ADDRESS);
  at.clock.advance(1000);
  for (let i = 0; i < 500; i++) await at.ask({ query: `z=${i}` });
  assert.equal(at.questions.length - before, BURST - MAX_ASKING_PER_ADDRESS + RATE);
});

Deno.test("All addresses together have so many questions under way", async () => {
  const at = asked();
  const let_ = at.hold();
  const flood = Array.from({ length: 100 }, (_, i) => at.ask({ remote: `198.51.100.${i}:1` }));
  assert.equal(at.questions.length, MAX_ASKING);
  let_();
  const given = (await Promise.all(flood)).map(reasonOf);
  assert.equal(given.filter((reason) => reason === "unavailable").length, 100 - MAX_ASKING);
});

Deno.test("close() tells the auth server of the end of what is remembered", async () => {
  const at = asked();
  (await granted(at.ask())).lease.end("closed");
  at.shared.close();
  await Promise.resolve();
  assert.deepEqual([at.ends, at.shared.size], [["shutdown"], 0]);
});
