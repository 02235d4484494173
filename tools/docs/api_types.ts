/** Prints types and signatures of `deno doc --json` as TypeScript. */

/** A type, as `deno doc` describes it. The shape of `value` depends on the kind. */
export interface TypeJson {
  readonly kind: string;
  readonly repr?: string;
  // deno-lint-ignore no-explicit-any
  readonly value: any;
}

/** A parameter. */
export interface ParamJson {
  readonly kind: string;
  readonly name?: string;
  readonly optional?: boolean;
  readonly tsType?: TypeJson;
  /** Of a parameter with a default. */
  readonly left?: ParamJson;
  /** Of a rest parameter. */
  readonly arg?: ParamJson;
}

/** What can be called. */
export interface FunctionJson {
  readonly params: readonly ParamJson[];
  readonly returnType?: TypeJson;
  readonly tsType?: TypeJson;
}

/** A property, of a class or an interface. */
export interface PropertyJson {
  readonly name: string;
  readonly readonly?: boolean;
  readonly optional?: boolean;
  readonly tsType?: TypeJson;
}

/** "(path: string, options?: X): Y" */
export function printSignature(def: FunctionJson, arrow = ": "): string {
  const result = def.returnType ?? def.tsType;
  return `(${def.params.map(printParam).join(", ")})${result ? arrow + printType(result) : ""}`;
}

/** "readonly name?: string" */
export function printProperty({ name, readonly, optional, tsType }: PropertyJson): string {
  const type = tsType ? `: ${printType(tsType)}` : "";
  return `${readonly ? "readonly " : ""}${name}${optional ? "?" : ""}${type}`;
}

/** @throws {Error} No public signature had this kind of type so far. */
export function printType({ kind, repr, value }: TypeJson): string {
  switch (kind) {
    case "keyword":
      return repr!;
    case "literal":
      return value.kind === "string" ? JSON.stringify(value.string) : repr!;
    case "typeRef": {
      const params = (value.typeParams ?? []) as TypeJson[];
      const list = params.length > 0 ? `<${params.map(printType).join(", ")}>` : "";
      return value.typeName + list;
    }
    case "union":
      return (value as TypeJson[]).map(printType).join(" | ");
    case "intersection":
      return (value as TypeJson[]).map(printType).join(" & ");
    case "array":
      return /^(union|fnOrConstructor|typeOperator)$/.test(value.kind)
        ? `(${printType(value)})[]`
        : `${printType(value)}[]`;
    case "tuple":
      return `[${(value as TypeJson[]).map(printType).join(", ")}]`;
    case "typeOperator":
      return `${value.operator} ${printType(value.tsType)}`;
    case "indexedAccess":
      return `${printType(value.objType)}[${printType(value.indexType)}]`;
    case "parenthesized":
      return `(${printType(value)})`;
    case "typeQuery":
      return `typeof ${repr}`;
    case "fnOrConstructor":
      return printSignature(value, " => ");
    case "typeLiteral": {
      const members = [
        ...((value.properties ?? []) as PropertyJson[]).map(printProperty),
        ...((value.methods ?? []) as (FunctionJson & { name: string })[])
          .map((method) => method.name + printSignature(method)),
      ];
      return `{ ${members.join("; ")} }`;
    }
    default:
      throw new Error(`Cannot print a type of the kind ${kind}: teach tools/docs/api_types.ts`);
  }
}

function printParam(param: ParamJson): string {
  if (param.left) return printParam({ ...param.left, optional: true });
  if (param.arg) return `...${printParam({ tsType: param.tsType!, ...param.arg })}`;
  const type = param.tsType ? `: ${printType(param.tsType)}` : "";
  return `${param.name ?? "options"}${param.optional ? "?" : ""}${type}`;
}
