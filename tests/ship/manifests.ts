/**
 * What the files in deploy/cluster/kubernetes have to be, as TypeScript's checker sees it: wrong and unknown members, and
 * those that are missing.
 *
 * @module
 */
import type { Deployment, StatefulSet } from "kubernetes-types/apps/v1";
import type { HorizontalPodAutoscaler } from "kubernetes-types/autoscaling/v2";
import type { ConfigMap, Secret, Service } from "kubernetes-types/core/v1";
import type { NetworkPolicy } from "kubernetes-types/networking/v1";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1";

/** Every kind there may be, by `apiVersion` and `kind`. */
export interface Kinds {
  "apps/v1 Deployment": Deployment;
  "apps/v1 StatefulSet": StatefulSet;
  "autoscaling/v2 HorizontalPodAutoscaler": HorizontalPodAutoscaler;
  "networking.k8s.io/v1 NetworkPolicy": NetworkPolicy;
  "policy/v1 PodDisruptionBudget": PodDisruptionBudget;
  "v1 ConfigMap": ConfigMap;
  "v1 Secret": Secret;
  "v1 Service": Service;
}

/** A part of a manifest that is laid over a whole one. */
export type Patch<T> = T extends readonly (infer Item)[] ? Patch<Item>[]
  : T extends object ? { [Key in keyof T]?: Patch<T[Key]> } & { $patch?: "delete" }
  : T;

/** A manifest as YAML has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  // deno-lint-ignore no-explicit-any
  readonly [member: string]: any;
}

/** A program whose types are right if the manifests are. */
export function programOf(manifests: readonly (Manifest & { readonly patch?: true })[]): string {
  const lines = manifests.map(({ patch, ...manifest }, i) => {
    const kind = `Kinds["${manifest.apiVersion} ${manifest.kind}"]`;
    const type = patch
      ? `Patch<${kind}>`
      : `Required<Pick<${kind}, "apiVersion" | "kind">> & ${kind}`;
    return `export const manifest${i}: ${type} = ${JSON.stringify(manifest)};`;
  });
  return [`import type { Kinds, Patch } from "${import.meta.url}";`, ...lines, ""].join("\n");
}
