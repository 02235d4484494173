/**
 * Sessions, the broadcasts and tracks they publish, and their tokens.
 *
 * @module
 */
import { z } from "zod";
import {
  type AnswerJson,
  ANSWERS,
  type BroadcastJson,
  type RevocationInputJson,
  type RevocationJson,
  type SessionJson,
  SHAPES,
  type TrackJson,
} from "../../../admin/shapes.ts";
import { unbracketed } from "../../../config/address.ts";
import { broadcasts, kick, revoke, session, sessions, tracks } from "../overview.ts";
import { pageOf, PAGING } from "../page.ts";
import { type AdminParameter, type AdminRequest, type AdminRoute, failure } from "./route.ts";

const MAX_SESSION = 999_999_999_999_999;
const ID: AdminParameter = {
  name: "id",
  in: "path",
  about: "Number of the session.",
  shape: z.int().min(0).max(MAX_SESSION),
};
const NO_SESSION = { about: "no such session", shape: SHAPES.Error };
const filter = (name: string, about: string): AdminParameter => ({
  name,
  in: "query",
  about,
  shape: z.string().max(1024),
});

const FILTERS: readonly AdminParameter[] = [
  filter("transport", "Only sessions over this transport."),
  filter("version", "Only sessions that speak this version."),
  filter("remote", "Only peers of this address, with or without a port."),
  filter("root", "Only sessions whose root is this path, or below it."),
  filter("jti", "Only sessions that came with the token of this name."),
  filter("sub", "Only sessions that came with a token of this holder."),
];

/** "10.0.0.1" from "10.0.0.1:5000", "::1" from "[::1]:5000". */
const hostOf = (remote: string) => unbracketed(remote.replace(/:\d+$/, ""));
const isBelow = (path: string, prefix: string) =>
  prefix === "" || path === prefix || path.startsWith(`${prefix}/`);

/** Sessions are sorted by when they began. */
const sessionName = ({ startedAt, id }: SessionJson) => `${startedAt} ${`${id}`.padStart(16, "0")}`;
const broadcastName = ({ path }: BroadcastJson) => path;
const revocationName = ({ revokedAt, jti, sub }: RevocationJson) =>
  `${revokedAt} ${jti ?? ""} ${sub ?? ""}`;
const trackName = ({ broadcast, track }: TrackJson) => `${broadcast}\0${track}`;

function fits(session: SessionJson, wanted: AdminRequest["parameters"]): boolean {
  const { remote, root, limit: _limit, after: _after, ...same } = wanted as Readonly<
    Record<string, string>
  >;
  if (remote !== undefined && session.remote !== remote && hostOf(session.remote) !== remote) {
    return false;
  }
  if (root !== undefined && !isBelow(session.root, root.replace(/^\/+|\/+$/g, ""))) return false;
  return Object.entries(same).every(([key, value]) => session[key as keyof SessionJson] === value);
}

function noSession({ c, parameters }: AdminRequest): Response {
  return failure(c, 404, "no_such_session", `no session ${parameters["id"]}`);
}

export const SESSION_ROUTES: readonly AdminRoute[] = [
  {
    method: "get",
    path: "/api/v1/sessions",
    id: "listSessions",
    group: "Sessions",
    access: "read",
    summary: "List the sessions, the oldest first",
    about: "Of all threads. Filters that are given must all fit.",
    parameters: [...FILTERS, ...PAGING],
    answers: { 200: { about: "the sessions", shape: ANSWERS.sessions } },
    handle: async ({ c, view, parameters }) => {
      const all = (await sessions(view)).filter((one) => fits(one, parameters));
      const { items, ...more } = pageOf(all, sessionName, parameters);
      return c.json({ sessions: items, ...more } satisfies AnswerJson<"sessions">);
    },
  },
  {
    method: "get",
    path: "/api/v1/sessions/{id}",
    id: "getSession",
    group: "Sessions",
    access: "read",
    summary: "Show one session, with what is served to it",
    parameters: [ID],
    answers: { 200: { about: "the session", shape: SHAPES.SessionDetail }, 404: NO_SESSION },
    handle: async (request) => {
      const found = await session(request.view, Number(request.parameters["id"]));
      return found === undefined ? noSession(request) : request.c.json(found);
    },
  },
  {
    method: "delete",
    path: "/api/v1/sessions/{id}",
    id: "kickSession",
    group: "Sessions",
    access: "change",
    summary: "Close one session at once",
    about: "Its peer may come back. To keep it out, take its token back.",
    parameters: [ID, {
      name: "code",
      in: "query",
      about: "Code the session is closed with; 2 (unauthorized) if not given.",
      shape: z.int().min(0).max(0xffff),
    }, {
      name: "reason",
      in: "query",
      about: '"kicked" if not given; the peer may get to see it.',
      shape: z.string().max(200),
    }],
    answers: { 204: { about: "it is closed" }, 404: NO_SESSION },
    handle: async (request) => {
      const { id, code, reason = "kicked" } = request.parameters;
      const why = code === undefined ? "unauthorized" : Number(code);
      const done = await kick(request.view, Number(id), why, String(reason));
      return done ? request.c.body(null, 204) : noSession(request);
    },
  },
  {
    method: "get",
    path: "/api/v1/broadcasts",
    id: "listBroadcasts",
    group: "Content",
    access: "read",
    summary: "List what is announced, with its publishers and the routes to them",
    about: "Sorted by path.",
    parameters: [filter("prefix", "Only this path and those below it."), ...PAGING],
    answers: { 200: { about: "the broadcasts", shape: ANSWERS.broadcasts } },
    handle: async ({ c, view, parameters }) => {
      const { prefix = "" } = parameters;
      const all = (await broadcasts(view)).filter(({ path }) => isBelow(path, String(prefix)));
      const { items, ...more } = pageOf(all, broadcastName, parameters);
      return c.json({ broadcasts: items, ...more } satisfies AnswerJson<"broadcasts">);
    },
  },
  {
    method: "get",
    path: "/api/v1/tracks",
    id: "listTracks",
    group: "Content",
    access: "read",
    summary: "List the tracks that were asked for, and what went through them",
    about: "Sorted by broadcast and name.",
    parameters: [filter("broadcast", "Only tracks of this broadcast."), ...PAGING],
    answers: { 200: { about: "the tracks", shape: ANSWERS.tracks } },
    handle: async ({ c, view, parameters }) => {
      const { broadcast: wanted } = parameters;
      const all = (await tracks(view)).filter(({ broadcast }) =>
        wanted === undefined || wanted === broadcast
      );
      const { items, ...more } = pageOf(all, trackName, parameters);
      return c.json({ tracks: items, ...more } satisfies AnswerJson<"tracks">);
    },
  },
  {
    method: "get",
    path: "/api/v1/tokens/revoked",
    id: "listRevoked",
    group: "Tokens",
    access: "read",
    summary: "List the tokens that were taken back, the oldest first",
    parameters: PAGING,
    answers: { 200: { about: "what is held back", shape: ANSWERS.revoked } },
    handle: ({ c, view, parameters }) => {
      const all = view.relay.revocations().map(({ jti, sub, atMs, untilMs }): RevocationJson => ({
        jti: jti ?? null,
        sub: sub ?? null,
        revokedAt: new Date(atMs).toISOString(),
        until: untilMs === undefined ? null : new Date(untilMs).toISOString(),
      }));
      const { items, ...more } = pageOf(all, revocationName, parameters);
      return c.json({ revoked: items, ...more } satisfies AnswerJson<"revoked">);
    },
  },
  {
    method: "post",
    path: "/api/v1/tokens/revoke",
    id: "revokeTokens",
    group: "Tokens",
    access: "change",
    summary: "Take tokens back: one by its name, or all that a holder was given so far",
    about:
      "Their sessions are closed, in all threads, and they are refused until the server ends or `until`.",
    body: { shape: SHAPES.RevocationInput, strict: true },
    answers: {
      200: { about: "how many sessions were closed", shape: ANSWERS.closed },
    },
    handle: async ({ c, view, body }) => {
      const { until, ...revoked } = body as RevocationInputJson;
      const untilMs = until === undefined ? undefined : Date.parse(until);
      const closed = await revoke(view, revoked, untilMs);
      return c.json({ closed } satisfies AnswerJson<"closed">);
    },
  },
];
