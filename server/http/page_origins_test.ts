import assert from "node:assert/strict";
import { parseConfig } from "../../config/load.ts";
import { PageOrigins } from "./page_origins.ts";

const ME = Deno.hostname().toLowerCase();

/** What a relay with such a configuration says: the reason it turns away for, or "" when it does not. */
function rule(yaml: string, certified: readonly string[] = []) {
  const pages = new PageOrigins(parseConfig(yaml).config, certified);
  return {
    pages,
    session: (host: string, origin?: string) => pages.refusal({ host, origin })?.reason ?? "",
    http: (host: string, origin?: string) => pages.httpRefusal({ host, origin })?.reason ?? "",
  };
}

Deno.test("an open relay lets in its own pages, those of loopback hosts, and who is no browser", () => {
  const { session, http } = rule("server: { cert_hosts: [tv.lan] }", ["*.relay.example", "::2"]);
  for (
    const [host, origin] of [
      ["127.0.0.1:4433", "http://127.0.0.1:4433"],
      ["localhost:4433", "http://localhost:8080"],
      ["[::1]:4433", "http://[::1]:4433"],
      ["192.168.1.5:4433", "https://192.168.1.5:4433"],
      ["192.168.1.5:4434", "https://192.168.1.5:4433"],
      ["192.168.1.5", "http://localhost:3000"],
      ["127.0.0.1:4433", "http://app.localhost"],
      [`${ME}:4433`, `http://${ME}:4433`],
      [`${ME.split(".")[0]}.local:4433`, `http://${ME.split(".")[0]}.local:4433`],
      ["TV.lan.:4433", "https://tv.lan:4433"],
      ["eu.relay.example", "https://eu.relay.example"],
    ] as const
  ) {
    assert.equal(session(host, origin), "", `${origin} at ${host}`);
    assert.equal(http(host, origin), "", `${origin} at ${host}`);
    assert.equal(http(host), "", host);
  }
  assert.equal(session("anything.example:4433"), "", "no browser sends no Origin");
});

Deno.test("an open relay turns away pages of other sites, and names made to lead to it", () => {
  const { session, http } = rule("", ["relay.example"]);
  for (
    const [host, origin, reason] of [
      ["127.0.0.1:4433", "https://evil.example", "foreign_page"],
      ["127.0.0.1:4433", "http://127.evil.example", "foreign_page"],
      ["127.0.0.1:4433", "http://localhost.evil.example", "foreign_page"],
      ["127.0.0.1:4433", "http://203.0.113.5", "foreign_page"],
      ["127.0.0.1:4433", "null", "foreign_page"],
      ["127.0.0.1:4433", "", "foreign_page"],
      ["127.0.0.1:4433", "file://", "foreign_page"],
      ["127.0.0.1:4433", "chrome-extension://127.0.0.1", "foreign_page"],
      ["relay.example", "https://relay.example.evil.example", "foreign_page"],
      ["evil.example:4433", "http://evil.example:4433", "foreign_name"],
      ["127.0.0.1.evil.example", "http://127.0.0.1.evil.example", "foreign_name"],
      ["evil.example:4433", "http://localhost", "foreign_name"],
      ["sub.relay.example", "https://sub.relay.example", "foreign_name"],
      ["a b", "http://localhost", "foreign_name"],
      ["", "http://localhost", "foreign_name"],
    ] as const
  ) {
    assert.equal(session(host, origin), reason, `${origin} at ${host}`);
    assert.equal(http(host, origin), reason, `${origin} at ${host}`);
  }
  assert.equal(http("evil.example:4433"), "foreign_name", "a rebound page's GET has no Origin");
});

Deno.test("auth.origins lets further pages use an open relay, and its host names are names of the relay", () => {
  const { session, http, pages } = rule("auth: { origins: ['https://tv.example'] }");
  assert.equal(session("127.0.0.1:4433", "https://tv.example"), "");
  assert.equal(session("127.0.0.1:4433", "http://tv.example"), "foreign_page");
  assert.equal(http("tv.example"), "");
  assert.equal(pages.reader("https://tv.example"), "https://tv.example");
  assert.match(pages.framedBy, /^'self' http:\/\/127\.0\.0\.1:\* .*https:\/\/tv\.example$/);
  const all = rule("auth: { anonymous: true, origins: ['*'] }");
  assert.equal(all.http("any.example", "https://evil.example"), "");
  assert.deepEqual([all.pages.reader(undefined), all.pages.framedBy], ["*", "*"]);
});

Deno.test("where tokens are asked for, server.cors_origins alone says who reads, and nobody is turned away", () => {
  const { session, http, pages } = rule("auth: { required: true }");
  assert.equal(session("evil.example", "https://evil.example"), "");
  assert.equal(http("evil.example", "https://evil.example"), "");
  assert.deepEqual([pages.reader("https://evil.example"), pages.framedBy], ["*", "*"]);
  const listed = rule(
    "{ auth: { required: true }, server: { cors_origins: ['https://tv.example'] } }",
  ).pages;
  assert.equal(listed.reader("https://tv.example"), "https://tv.example");
  assert.equal(listed.reader("https://evil.example"), undefined);
  assert.equal(listed.framedBy, "'self' https://tv.example");
});

Deno.test("server.cors_origins narrows who reads an open relay's HTTP further", () => {
  const { pages } = rule(
    "{ auth: { origins: ['https://a.example', 'https://b.example'] }, server: { cors_origins: ['https://a.example', 'https://c.example'] } }",
  );
  assert.equal(pages.reader("https://a.example"), "https://a.example");
  assert.equal(pages.reader("https://b.example"), undefined);
  assert.equal(pages.framedBy, "'self' https://a.example");
});

Deno.test("an open relay lets in the pages of other nodes of its cluster, by https alone", () => {
  const nodes = ["b.example", "[2001:db8::1]"];
  const pages = new PageOrigins(parseConfig("").config, ["a.example"], nodes);
  const at = (origin: string) => pages.refusal({ host: "a.example", origin })?.reason ?? "";
  for (const origin of ["https://b.example", "https://b.example:4433", "https://[2001:db8::1]"]) {
    assert.equal(at(origin), "", origin);
    assert.equal(pages.reader(origin), origin, "and they read what it answers");
  }
  for (const origin of ["http://b.example", "https://c.example", "https://x.b.example"]) {
    assert.equal(at(origin), "foreign_page", origin);
  }
});

Deno.test("the host that other nodes and viewers dial is a name of the relay", () => {
  const { session } = rule("cluster: { url: 'https://node-1.example:4433/' }");
  assert.equal(session("node-1.example:4433", "https://node-1.example:4433"), "");
  assert.notEqual(rule("").session("node-1.example:4433", "https://node-1.example:4433"), "");
});
