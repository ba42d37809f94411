/** How good a run is, asked for in Review: cancelled once, then measured, and the same on the screen as in the run's log. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, serve } from '../../electron/web/serve.ts';
import { figureNames } from '../../shared/evaluation/coco.ts';
import type { EvaluationEvent } from '../../shared/training/events.ts';
import { browserSupported, type OpenedBrowser, openBrowser } from '../support/browser.ts';
import { ask } from './ask.ts';
import { WorkstationPage } from './workstationPage.ts';

describe.skipIf(!browserSupported)('evaluation on demand', () => {
  let dataPath: string;
  let serving: Serving;
  let opened: OpenedBrowser;
  let desk: WorkstationPage;

  beforeAll(async () => {
    dataPath = await mkdtemp(join(tmpdir(), 'boxwright-e2e-evaluate-'));
    serving = await serve({ open: false, dataPath, print: () => {} });
    opened = await openBrowser({ widthPx: 1024, heightPx: 700 });
    desk = new WorkstationPage(opened.page);
    await desk.open(serving.address);
  });

  afterAll(async () => {
    await opened?.close();
    await serving?.close();
    await rm(dataPath, { recursive: true, force: true });
  });

  /** From the file itself. */
  async function evaluations(): Promise<EvaluationEvent[]> {
    const project = await ask(serving, 'projects.current', {});
    const [run] = await ask(serving, 'runs.list', {});
    const log = await readFile(join(project!.path, 'runs', run!.id, 'events.jsonl'), 'utf8');
    const lines = log.trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'evaluation');
  }

  async function expectFigures(event: EvaluationEvent): Promise<void> {
    for (const name of figureNames) {
      const shown = desk.find(`figure-${name}`);
      await expect.poll(() => shown.getAttribute('data-value')).toBe(String(event[name] ?? ''));
      const percent = event[name] == null ? '–' : (event[name] * 100).toFixed(1);
      expect(await shown.textContent()).toBe(percent);
    }
    for (const [name, AP] of Object.entries(event.perClass)) {
      const row = desk.find(`class-figures-${name}`);
      expect(await row.getAttribute('data-ap')).toBe(String(AP ?? ''));
      expect(await row.getAttribute('data-ap50')).toBe(String(event.perClass50?.[name] ?? ''));
    }
  }

  it('has nothing to measure before a run', async () => {
    await desk.openTab('review');
    await expect.poll(() => desk.find('evaluation').textContent()).toContain('Once a run has been trained');
  });

  it('trains a few steps, sure enough from the start to have something to measure', async () => {
    await desk.openTab('train');
    await desk.find('config-side').selectOption('128');
    await desk.find('config-steps').fill('4');
    await opened.page.getByRole('button', { name: 'Advanced' }).click();
    await desk.find('config-prior').fill('0.3');
    await desk.find('start-run').click();
    const status = desk.find('run-status');
    await expect.poll(() => status.getAttribute('data-status'), { timeout: 200_000 }).toBe('done');
    expect(await evaluations()).toMatchObject([{ step: 4, split: 'val' }]);
  });

  it('shows what training measured itself', async () => {
    await desk.openTab('review');
    const [own] = await evaluations();
    await expectFigures(own!);
    expect(own!.AR100).toBeGreaterThan(0);
  });

  it('is cancelled at once, and leaves no trace', async () => {
    await desk.find('evaluate-run').focus();
    await opened.page.keyboard.press('Enter');
    const progress = desk.find('evaluate-progress');
    await expect
      .poll(async () => Number(await progress.getAttribute('data-done')), { timeout: 100_000, interval: 50 })
      .toBeGreaterThan(0);
    await desk.find('evaluate-cancel').click();
    await expect
      .poll(() => desk.find('evaluate-ended').getAttribute('data-outcome'), { timeout: 2000 })
      .toBe('cancelled');
    expect(await evaluations()).toHaveLength(1);
  });

  it('measures what training measured, and writes it into the log', async () => {
    await desk.find('evaluate-run').click();
    // The screen answers while the GPU works.
    await desk.openTab('label');
    await desk.openTab('review');
    await expect.poll(async () => (await evaluations()).length, { timeout: 100_000 }).toBe(2);
    const [own, asked] = await evaluations();
    expect(asked).toEqual({ ...own, onDemand: true });
    await expectFigures(asked!);
  });

  it('measures the trained images too, and all of it is there after a reload', async () => {
    await desk.find('evaluate-split').selectOption('reviewed');
    await desk.find('evaluate-run').click();
    await expect.poll(async () => (await evaluations()).length, { timeout: 200_000 }).toBe(3);
    const all = await evaluations();
    expect(all[2]).toMatchObject({ split: 'reviewed', images: 100, onDemand: true });
    await opened.page.reload();
    await desk.openTab('review');
    await expectFigures(all[2]!);
    const choice = desk.find('evaluation-choice');
    expect(await choice.locator('option').count()).toBe(3);
    await choice.selectOption({ label: 'Step 4, 20 validation images, in training' });
    await expectFigures(all[0]!);
    // Asking does not change how good the run says it is.
    const [run] = await ask(serving, 'runs.list', {});
    expect(run!.AP50).toBe(all[0]!.AP50);
  });

  it('says nothing wrong on the console', () => {
    expect(opened.log.filter((line) => /^(error|uncaught)/.test(line))).toEqual([]);
  });
});
