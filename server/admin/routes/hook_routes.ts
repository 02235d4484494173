/** The hooks and how they fare. */
import { type AnswerJson, ANSWERS } from "../../../admin/shapes.ts";
import { hookJson } from "./hook_json.ts";
import type { AdminRoute } from "./route.ts";

export const HOOK_ROUTES: readonly AdminRoute[] = [
  {
    method: "get",
    path: "/api/v1/hooks",
    id: "listHooks",
    group: "Hooks",
    access: "read",
    summary: "List the hooks: what waits, what was told, and what failed last",
    answers: { 200: { about: "the hooks", shape: ANSWERS.hooks } },
    handle: ({ c, view }) =>
      c.json({ hooks: view.hooks?.list().map(hookJson) ?? [] } satisfies AnswerJson<"hooks">),
  },
];
