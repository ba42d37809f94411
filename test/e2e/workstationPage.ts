/** What a person does at the workstation, by mouse and keys, and what they then read on the screen. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { BoxPx } from '../../shared/domain/box.ts';

const patience = 30_000;

export class WorkstationPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  find(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Opens the address and waits for an image on the canvas. */
  async open(address: string): Promise<void> {
    await this.page.goto(address);
    await this.find('image-row').first().waitFor({ timeout: patience });
    await this.waitForCanvas();
  }

  async waitForCanvas(): Promise<void> {
    await this.page.locator('[data-testid=canvas][data-phase=ready]').waitFor({ timeout: patience });
  }

  async canvas(name: string): Promise<string> {
    return (await this.find('canvas').getAttribute(`data-${name}`)) ?? '';
  }

  async boxCount(): Promise<number> {
    return Number(await this.canvas('box-count'));
  }

  async expectBoxCount(count: number): Promise<void> {
    await expect.poll(() => this.boxCount(), { timeout: patience }).toBe(count);
  }

  /** Until the screen itself says that every edit is on the disk. */
  async waitUntilSaved(): Promise<void> {
    await this.page.locator('[data-testid=save-state][data-status=saved]').waitFor({ timeout: patience });
  }

  async openImage(name: string): Promise<void> {
    await this.find('image-search').fill(name);
    await this.find('image-row').filter({ hasText: name }).click();
    await this.page.locator(`[data-testid=canvas][aria-label*="${name}"]`).waitFor({ timeout: patience });
    await this.waitForCanvas();
  }

  /** Where a point of the image lies on the page. */
  async toPage(xPx: number, yPx: number): Promise<{ x: number; y: number }> {
    const frame = await this.find('canvas').boundingBox();
    const [zoom, offsetX, offsetY] = await Promise.all(
      ['zoom', 'offset-x', 'offset-y'].map((n) => this.canvas(n)),
    );
    return {
      x: frame!.x + Number(offsetX) + xPx * Number(zoom),
      y: frame!.y + Number(offsetY) + yPx * Number(zoom),
    };
  }

  async drag(fromPx: readonly [number, number], toPx: readonly [number, number]): Promise<void> {
    const from = await this.toPage(...fromPx);
    const to = await this.toPage(...toPx);
    await this.page.mouse.move(from.x, from.y);
    await this.page.mouse.down();
    await this.page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
    await this.page.mouse.move(to.x, to.y, { steps: 4 });
    await this.page.mouse.up();
  }

  async drawBox([x1, y1, x2, y2]: BoxPx): Promise<void> {
    await this.page.keyboard.press('w');
    await this.drag([x1, y1], [x2, y2]);
  }

  async openTab(name: 'label' | 'train' | 'review'): Promise<void> {
    await this.find(`tab-${name}`).click();
    await this.find(`workspace-${name}`).waitFor({ state: 'visible', timeout: patience });
  }

  /** A class's beam as numbers. */
  async beam(name: string): Promise<{ foreground: number; background: number; angle: number }> {
    const beam = this.find(`beam-${name}`);
    const read = async (part: string) => Number(await beam.getAttribute(`data-${part}`));
    return {
      foreground: await read('foreground'),
      background: await read('background'),
      angle: await read('angle'),
    };
  }

  async step(): Promise<number> {
    return Number(await this.find('run-step').getAttribute('data-step'));
  }
}
