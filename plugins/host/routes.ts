/**
 * Which plugin instance answers which HTTP paths. Each prefix belongs to one instance at a time.
 *
 * @module
 */
import { normalizePath } from "../../wire/path.ts";
import { PathTaken, safeReason } from "../errors.ts";
import type { PluginHttp, PluginPeer, PluginRoute } from "../plugin.ts";

/** A path that a plugin answers. */
export interface OwnedRoute {
  /** Name of the instance. */
  readonly owner: string;
  readonly answer: PluginRoute;
  /** Called when the handler failed: the owner counts and logs it. */
  readonly failed: (reason: string) => void;
}

export class PluginRoutes {
  readonly #routes = new Map<string, OwnedRoute>();
  readonly #reserved: readonly string[];
  readonly #off: string | undefined;

  /**
   * @param options.reserved First segments of paths that the server answers itself: "fetch".
   * @param options.off Why there is no HTTP at all.
   */
  constructor(options: { readonly reserved?: readonly string[]; readonly off?: string } = {}) {
    this.#reserved = options.reserved ?? [];
    this.#off = options.off;
  }

  /** The HTTP that one instance is given. @param failed Called for each request that its handler fails on. */
  of(owner: string, failed: (reason: string) => void): PluginHttp & Disposable {
    const own = new Set<string>();
    return {
      route: (prefix, answer) => {
        const path = normal(prefix);
        const refuse = (why: string) => new PathTaken(`Cannot answer at ${path || "/"}: ${why}`);
        if (this.#off !== undefined) throw refuse(this.#off);
        const other = this.#routes.get(path);
        if (other !== undefined) throw refuse(`instance "${other.owner}" does already`);
        if (path === "" || this.#reserved.includes(path.split("/")[1]!)) {
          throw refuse("the relay itself does");
        }
        const route = { owner, answer, failed };
        this.#routes.set(path, route);
        own.add(path);
        return {
          [Symbol.dispose]: () => {
            if (this.#routes.get(path) === route) this.#routes.delete(path);
            own.delete(path);
          },
        };
      },
      [Symbol.dispose]: () => {
        for (const path of own) this.#routes.delete(path);
        own.clear();
      },
    };
  }

  /** The route of a path: the longest prefix that ends at the end of a segment. */
  find(pathname: string): OwnedRoute | undefined {
    if (this.#routes.size === 0) return undefined;
    for (let path = normal(pathname); path !== ""; path = path.slice(0, path.lastIndexOf("/"))) {
      const route = this.#routes.get(path);
      if (route !== undefined) return route;
    }
    return undefined;
  }

  /** The answer of the plugin that owns the path; 500 when its handler fails. @returns `undefined` when no plugin owns it. */
  async answer(request: Request, peer: PluginPeer): Promise<Response | undefined> {
    const route = this.find(new URL(request.url).pathname);
    if (route === undefined) return undefined;
    try {
      const response = await route.answer(request, peer);
      if (response instanceof Response) return response;
      throw new TypeError("the handler gave back no Response");
    } catch (error) {
      route.failed(safeReason(error));
      return new Response("internal error\n", { status: 500 });
    }
  }
}

/** The part of a request's path below a route's prefix, as it was sent: "live/cam". */
export function below(prefix: string, pathname: string): string {
  return normal(pathname).slice(normal(prefix).length + 1);
}

/** "/whep", without a slash at the end. The top is "". */
function normal(path: string): string {
  const normal = normalizePath(path);
  return normal === "" ? "" : `/${normal}`;
}
