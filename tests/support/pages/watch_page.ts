import assert from "node:assert/strict";
import type { Page } from "playwright-core";

/** What is on the canvas of the player, small enough to compare: one byte of red, green and blue for each of 32×18 fields. */
export async function picture(page: Page): Promise<Uint8Array> {
  const pixels: number[] = await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any
    const { document } = globalThis as any;
    const canvas = document.querySelector("moq-watch canvas");
    const small = document.createElement("canvas");
    small.width = 32;
    small.height = 18;
    const context = small.getContext("2d");
    if (canvas !== null && canvas.width > 0) context.drawImage(canvas, 0, 0, 32, 18);
    const rgba: number[] = Array.from(context.getImageData(0, 0, 32, 18).data);
    return rgba.filter((_, i) => i % 4 !== 3);
  });
  return Uint8Array.from(pixels);
}

/** Fields that differ visibly between two pictures. */
export function changedFields(a: Uint8Array, b: Uint8Array): number {
  let changed = 0;
  for (let at = 0; at < a.length; at += 3) {
    const difference = Math.abs(a[at]! - b[at]!) + Math.abs(a[at + 1]! - b[at + 1]!) +
      Math.abs(a[at + 2]! - b[at + 2]!);
    if (difference > 48) changed++;
  }
  return changed;
}

/** Fields that are not black. */
export function litFields(a: Uint8Array): number {
  return changedFields(a, new Uint8Array(a.length));
}

/** Waits until a picture is shown. @throws {Error} None came within the time. */
export async function firstPicture(page: Page, timeoutMs = 30_000): Promise<Uint8Array> {
  const endsAtMs = performance.now() + timeoutMs;
  for (;;) {
    const shown = await picture(page);
    if (litFields(shown) > 100) return shown;
    if (performance.now() > endsAtMs) throw new Error("no picture came");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** @throws {AssertionError} No picture comes, or it stands still. */
export async function assertMoves(page: Page): Promise<void> {
  const first = await firstPicture(page);
  let moved = 0;
  for (let tries = 0; tries < 100 && moved < 5; tries++) {
    await page.waitForTimeout(100);
    moved = Math.max(moved, changedFields(first, await picture(page)));
  }
  assert.ok(moved >= 5, `only ${moved} of 576 fields have changed`);
}

/** What the publish view can send. */
export type Source = "camera" | "screen" | "microphone" | "pattern";

/** Fills in the publish view of a page that shows it, and goes live. @throws {Error} It does not come about. */
export async function goLive(
  page: Page,
  options: { readonly name: string; readonly source: Source; readonly lines?: number },
): Promise<void> {
  await page.fill("#name", options.name);
  await page.check(`input[name=source][value=${options.source}]`);
  await page.selectOption("#lines", String(options.lines ?? 360));
  await page.click("#start");
  await page.locator("#publish-state[data-kind=live]").waitFor({ timeout: 20_000 });
}
