/**
 * What the lab costs the page while a long run of many classes comes in: `node bench/labFrames.ts [CLASSES] [STEPS] [STEPS_A_SECOND]`.
 * A frame's cost is the main thread's own processor time from one frame to the next; the heap is what remains after collection.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '../electron/web/serve.ts';
import { openBrowser } from '../test/support/browser.ts';
import { startFedRun, stepReached } from '../test/support/fedRun.ts';
import { PageMeter } from '../test/support/frameCost.ts';

const [classCount = 80, steps = 10_000, stepsPerSecond = 150] = process.argv.slice(2).map(Number);
const dataPath = await mkdtemp(join(tmpdir(), 'boxwright-bench-lab-'));
const serving = await serve({ open: false, dataPath, print: () => {} });
const opened = await openBrowser({ widthPx: 1440, heightPx: 900 });
const { page } = opened;

async function until(step: number): Promise<void> {
  while ((await stepReached(page)) < step) await page.waitForTimeout(50);
}

async function report(meter: PageMeter, what: string): Promise<void> {
  const { frames, meanMs, medianMs, p95Ms, maxMs } = await meter.frameCost(3000);
  const figures = { median: medianMs, mean: meanMs, p95: p95Ms, max: maxMs };
  const text = Object.entries(figures)
    .map(([name, ms]) => `${name} ${ms.toFixed(2)} ms`)
    .join(', ');
  console.log(`${what.padEnd(34)} ${text} (${frames} frames)`);
}

try {
  await page.goto(serving.address);
  await page.locator('[data-testid=canvas][data-phase=ready]').waitFor();
  await startFedRun(page, serving, { classCount, steps, stepsPerSecond });
  const meter = await PageMeter.of(page);
  console.log(`${classCount} classes, ${steps} steps, ${stepsPerSecond} a second`);
  for (const part of [0.1, 0.5, 0.9]) {
    await until(part * steps);
    console.log(`heap at step ${await stepReached(page)}: ${(await meter.heapMb()).toFixed(1)} MB`);
    await report(meter, `  balance`);
    if (part === 0.5) {
      await page.getByTestId('ghost-kind').getByText('If cross-entropy').click();
      await report(meter, '  balance with ghost');
      await page.getByTestId('ghost-kind').getByText('As it is').click();
      for (const tab of ['concentration', 'hardness']) {
        await page.getByTestId(`lab-tab-${tab}`).click();
        await report(meter, `  ${tab}`);
      }
      await page.getByTestId('lab-tab-balance').click();
    }
  }
  await until(steps);
  await page.waitForTimeout(1500);
  console.log(`heap at the end, step ${await stepReached(page)}: ${(await meter.heapMb()).toFixed(1)} MB`);
} finally {
  await opened.close();
  await serving.close();
  await rm(dataPath, { recursive: true, force: true });
}
