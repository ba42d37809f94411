/** Many classes and many steps: the lab stays light on the page's main thread, and its memory does not grow with the run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, serve } from '../../electron/web/serve.ts';
import { browserSupported, type OpenedBrowser, openBrowser } from '../support/browser.ts';
import { startFedRun, stepReached } from '../support/fedRun.ts';
import { PageMeter } from '../support/frameCost.ts';

const plan = { classCount: 80, steps: 2500, stepsPerSecond: 250 };

describe.skipIf(!browserSupported)('the lab with eighty classes', () => {
  let dataPath: string;
  let serving: Serving;
  let opened: OpenedBrowser;

  beforeAll(async () => {
    dataPath = await mkdtemp(join(tmpdir(), 'boxwright-e2e-lab-'));
    serving = await serve({ open: false, dataPath, print: () => {} });
    opened = await openBrowser({ widthPx: 1440, heightPx: 900 });
  });

  afterAll(async () => {
    await opened?.close();
    await serving?.close();
    await rm(dataPath, { recursive: true, force: true });
  });

  it('draws what comes in for less than 8 ms a frame, and holds no more after 2,500 steps than after 1,000', async () => {
    const { page, log } = opened;
    await page.goto(serving.address);
    await page.locator('[data-testid=canvas][data-phase=ready]').waitFor();
    await startFedRun(page, serving, plan);
    const meter = await PageMeter.of(page);
    const reached = (step: number) =>
      expect.poll(() => stepReached(page), { timeout: 60_000 }).toBeGreaterThanOrEqual(step);

    await reached(1000);
    const early = await meter.heapMb();
    const balance = await meter.frameCost(2000);
    await page.getByTestId('lab-tab-concentration').click();
    await page.getByTestId('concentration-sentence').waitFor();
    const concentration = await meter.frameCost(1500);
    await page.getByTestId('lab-tab-balance').click();
    await reached(plan.steps);
    await page.waitForTimeout(1000);
    const late = await meter.heapMb();

    const figures = JSON.stringify({ early, late, balance, concentration });
    expect(balance.meanMs, figures).toBeLessThan(8);
    expect(balance.medianMs, figures).toBeLessThan(8);
    expect(concentration.meanMs, figures).toBeLessThan(8);
    // Frames in which nothing changes are cheap and many: of those that draw, hardly one may miss its turn at sixty a second.
    expect(Math.max(balance.p95Ms, concentration.p95Ms), figures).toBeLessThan(16);
    // What comes and goes (a picture, a chunk of code) is no growth; a step held would be seven megabytes of every thousand.
    expect(late - early, figures).toBeLessThan(6);
    expect(log.filter((line) => line.startsWith('uncaught'))).toEqual([]);
  }, 120_000);
});
