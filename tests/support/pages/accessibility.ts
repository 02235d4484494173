/** Checks a page for people who cannot see it, or not well (WCAG 2.2: 4.1.2 and 1.4.3). */
import axe from "axe-core";
import type { Page } from "playwright-core";

/** What axe finds wrong with a page, by all of its rules except the experimental ones: "rule: element, element". */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any
    const { violations } = await (globalThis as any).axe.run({ resultTypes: ["violations"] });
    return violations.map((
      { id, nodes }: { id: string; nodes: { target: string[]; failureSummary: string }[] },
    ) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  });
}

/** Ids that more than one element has. */
export async function doubleIds(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any
    const { document } = globalThis as any;
    const ids: string[] = [...document.querySelectorAll("[id]")].map((e) => e.id);
    return ids.filter((id, at) => ids.indexOf(id) !== at);
  });
}

/** The HTML of visible controls without a name for screen readers. */
export async function namelessControls(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any
    const { document } = globalThis as any;
    const controls = document.querySelectorAll(
      "a, button, input, select, [role=img], [role=meter]",
    );
    const nameOf = (e: ReturnType<typeof document.querySelector>): string =>
      e.getAttribute("aria-label") ??
        ([...(e.labels ?? [])].map((label) => label.textContent).join(" ") || e.textContent);
    return [...controls]
      .filter((e) => e.checkVisibility() && nameOf(e).trim() === "")
      .map((e) => e.outerHTML);
  });
}

export interface Contrast {
  readonly text: string;
  readonly color: string;
  readonly ground: string;
  /** 1 to 21. */
  readonly ratio: number;
}

/** The contrast of every visible text with its background, except in disabled controls. */
export async function contrastsOf(page: Page): Promise<Contrast[]> {
  return await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any
    const { document, getComputedStyle } = globalThis as any;
    type Rgba = readonly [number, number, number, number];
    // A canvas reads every way of writing a colour.
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const read = (color: string): Rgba => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top: Rgba, below: Rgba): Rgba => {
      const mix = (i: 0 | 1 | 2) => top[i] * top[3] + below[i] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const luminance = ([r, g, b]: Rgba) => {
      const [x, y, z] = [r, g, b].map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * x! + 0.7152 * y! + 0.0722 * z!;
    };
    // deno-lint-ignore no-explicit-any
    const groundOf = (element: any): Rgba => {
      if (element === null) return [255, 255, 255, 1];
      const own = read(getComputedStyle(element).backgroundColor);
      return own[3] === 1 ? own : over(own, groundOf(element.parentElement));
    };
    // deno-lint-ignore no-explicit-any
    const hasText = (e: any) =>
      [...e.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
    return [...document.querySelectorAll("body *")]
      .filter((e) =>
        hasText(e) && e.checkVisibility() && !e.closest(".unseen, .skip, noscript, option") &&
        !e.matches(":disabled, :disabled *")
      )
      .map((e) => {
        const ground = groundOf(e);
        const color = over(read(getComputedStyle(e).color), ground);
        const [a, b] = [luminance(color), luminance(ground)];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        return {
          text: e.textContent.trim().slice(0, 40),
          color: color.map(Math.round).join(" "),
          ground: ground.map(Math.round).join(" "),
          ratio: Math.round(ratio * 100) / 100,
        };
      });
  });
}
