/** The loss lab in a real browser: gamma changed under way, looked at from every side, looked back; and a race that outlives the page. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawSample, sampleDefaults } from '../../electron/services/sample/sample.ts';
import { type Serving, serve } from '../../electron/web/serve.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import { browserSupported, type OpenedBrowser, openBrowser } from '../support/browser.ts';
import { ask } from './ask.ts';
import { WorkstationPage } from './workstationPage.ts';

const patience = { timeout: 120_000 };
const raceSteps = 4;

describe.skipIf(!browserSupported)('the loss lab', () => {
  let folder: string;
  let serving: Serving;
  let opened: OpenedBrowser;
  let desk: WorkstationPage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'boxwright-e2e-lab-'));
    const project = join(folder, 'smears');
    await drawSample(project, { ...sampleDefaults, images: 24 });
    serving = await serve({ project, open: false, dataPath: join(folder, 'data'), print: () => {} });
    opened = await openBrowser({ widthPx: 1440, heightPx: 900 });
    desk = new WorkstationPage(opened.page);
    await desk.open(serving.address);
    await desk.openTab('train');
  });

  afterAll(async () => {
    await opened?.close();
    await serving?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const attribute = (testId: string, name: string) => () => desk.find(testId).getAttribute(name);
  const expectAttribute = (testId: string, name: string, value: string) =>
    expect.poll(attribute(testId, name), patience).toBe(value);

  async function fill(testId: string, value: number): Promise<void> {
    await desk.find(testId).fill(String(value));
    await desk.find(testId).blur();
  }

  async function eventsOf(runId: string): Promise<readonly RunEvent[]> {
    const { events, next } = await ask(serving, 'runs.events', { runId });
    expect(next).toBeNull();
    return events;
  }

  it('shows what is known before the first step', async () => {
    await desk.find('before-training').waitFor();
  });

  it('changes gamma while a run is under way', async () => {
    await desk.find('config-side').selectOption('128');
    await fill('config-batch', 1);
    await fill('config-steps', 400);
    await opened.page.getByRole('button', { name: 'Advanced' }).click();
    await fill('config-statisticsEvery', 2);
    await desk.find('start-run').click();
    await expect.poll(() => desk.step(), patience).toBeGreaterThanOrEqual(4);
    await desk.find('pause-run').click();
    await expectAttribute('run-status', 'data-status', 'paused');
    const before = await desk.step();
    await fill('hot-gamma', 0);
    await desk.find('hot-apply').click();
    await expect.poll(() => desk.find('hot-told').textContent()).toContain('as soon as the run goes on');
    await desk.find('resume-run').click();
    await expect.poll(() => desk.step(), patience).toBeGreaterThanOrEqual(before + 6);
    expect(await desk.find('hot-told').textContent()).toContain(`from step ${before + 1}`);
    await desk.find('stop-run').click();
    await expectAttribute('run-status', 'data-status', 'stopped');

    const [run] = await ask(serving, 'runs.list', {});
    const changes = (await eventsOf(run!.id)).filter(({ event }) => event === 'control');
    expect(changes).toEqual([{ event: 'control', step: before + 1, change: { gamma: 0 } }]);
    expect(await attribute('loss-chart', 'data-marks')()).toBe('1');
    expect(await desk.find('settings-course').locator('li').allTextContents()).toEqual([
      expect.stringContaining('γ 2'),
      expect.stringContaining('γ 0'),
    ]);
  });

  it('shows where the loss lies, and what carries it', async () => {
    await desk.find('lab-tab-concentration').click();
    await desk.find('chart-concentration').waitFor();
    expect(await desk.find('concentration-sentence').textContent()).toMatch(/\d/);
    await desk.find('lab-tab-hardness').click();
    await desk.find('carriers').waitFor();
    const [half, all] = await Promise.all(
      ['data-half', 'data-all'].map((name) => attribute('carriers', name)()),
    );
    expect(Number(half)).toBeGreaterThan(0);
    expect(Number(half)).toBeLessThan(Number(all));
    expect(await desk.find('hard-anchor').count()).toBeGreaterThan(0);
  });

  it('looks back to before the change', async () => {
    await desk.find('lab-tab-balance').click();
    expect(await desk.find('loss-at-step').textContent()).toContain('γ 0');
    const now = await desk.beam('RBC');
    await desk.find('look-back').getByRole('slider').focus();
    await opened.page.keyboard.press('Home');
    await expect.poll(() => desk.find('loss-at-step').textContent()).toContain('γ 2');
    expect(await desk.beam('RBC')).not.toEqual(now);
  });

  it('races two strategies step by step', async () => {
    await opened.page.getByText('New run', { exact: true }).click();
    await fill('config-steps', raceSteps);
    await opened.page.getByText('Races', { exact: true }).click();
    await desk.find('race-form').waitFor();
    await desk.find('race-loss-1').selectOption('ssd');
    await desk.find('race-start').click();
    await expectAttribute('race-status', 'data-status', 'done');
    const { races } = await ask(serving, 'races.list', {});
    expect(races).toMatchObject([
      { order: 'interleaved', firstStep: { classes: ['RBC', 'WBC', 'Platelets'] } },
    ]);
    const logs = await Promise.all(races[0]!.entries.map(({ runId }) => eventsOf(runId)));
    for (const events of logs) {
      expect(events.filter(({ event }) => event === 'step')).toHaveLength(raceSteps);
      expect(events.at(-1)).toMatchObject({ event: 'done', reason: 'finished' });
    }
    await expectTable();
  });

  async function expectTable(): Promise<void> {
    for (const place of [0, 1]) {
      await expectAttribute(`race-row-${place}`, 'data-step', String(raceSteps));
      await expectAttribute(`race-row-${place}`, 'data-status', 'done');
    }
    const table = await desk.find('race-table').textContent();
    expect(table).toContain('Focal loss, γ 2, α 0.25');
    expect(table).toContain('Hard negatives (SSD)');
    expect(await attribute('chart-view-race-loss', 'data-series')()).toBe('4');
  }

  it('still has the race after the page is loaded anew, and opens a competitor as a run', async () => {
    await opened.page.reload();
    await desk.openTab('train');
    await opened.page.getByText('Races (1)').click();
    await expectTable();
    await desk.find('race-open-1').click();
    await desk.find('beam-RBC').waitFor();
    expect(await desk.step()).toBe(raceSteps);
    expect(await desk.find('hot-controls').textContent()).toContain('Hard negatives (SSD)');
    await desk.find('back-to-race').click();
    await desk.find('race-table').waitFor();
  });

  it('says nothing wrong on the console', () => {
    expect(opened.log.filter((line) => /^(error|uncaught)/.test(line))).toEqual([]);
  });
});
