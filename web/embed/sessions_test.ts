import assert from "node:assert/strict";
import { Sessions } from "./sessions.ts";

function fakes() {
  const closed: string[] = [];
  return { closed, sessions: new Sessions((url) => ({ close: () => void closed.push(url) })) };
}

Deno.test("Sessions.take() shares one session per URL, and the last release closes it", () => {
  const { closed, sessions } = fakes();
  const [first, second] = [sessions.take("a"), sessions.take("a")];
  const other = sessions.take("b");
  assert.equal(first.session, second.session);
  assert.notEqual(first.session, other.session);
  assert.equal(sessions.size, 2);
  first.release();
  assert.deepEqual(closed, []);
  second.release();
  assert.deepEqual(closed, ["a"]);
  assert.equal(sessions.size, 1);
});

Deno.test("Sessions: a share that is released twice counts once", () => {
  const { closed, sessions } = fakes();
  const [first, second] = [sessions.take("a"), sessions.take("a")];
  first.release();
  first.release();
  assert.deepEqual(closed, []);
  second.release();
  assert.notEqual(sessions.take("a").session, first.session);
});
