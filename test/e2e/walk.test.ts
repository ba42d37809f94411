/** The five minutes of the README, in a real browser on a software GPU: look, label, train, read the balance, predict, accept. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, serve } from '../../electron/web/serve.ts';
import { readRunEvents } from '../../renderer/store/runEvents.ts';
import type { Client } from '../../shared/contract/requests.ts';
import { labelsOf, proposalsOf } from '../../shared/domain/box.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import { browserSupported, type OpenedBrowser, openBrowser } from '../support/browser.ts';
import { ask } from './ask.ts';
import { WorkstationPage } from './workstationPage.ts';

const unlabelled = 'smear_0101.jpg';
const classNames = ['RBC', 'WBC', 'Platelets'];

if (!browserSupported) console.warn('Skipped: the browser that comes with the tests runs on Linux x64 only.');

describe.skipIf(!browserSupported)('the walk through the workstation', () => {
  let dataPath: string;
  let serving: Serving;
  let opened: OpenedBrowser;
  let desk: WorkstationPage;

  beforeAll(async () => {
    dataPath = await mkdtemp(join(tmpdir(), 'boxwright-e2e-'));
    serving = await serve({ open: false, dataPath, print: () => {} });
    opened = await openBrowser({ widthPx: 1440, heightPx: 900 });
    desk = new WorkstationPage(opened.page);
  });

  afterAll(async () => {
    await opened?.close();
    await serving?.close();
    await rm(dataPath, { recursive: true, force: true });
  });

  it('opens the sample on first run', async () => {
    await desk.open(serving.address);
    expect(await desk.find('reviewed-count').textContent()).toBe('100');
    expect(await desk.boxCount()).toBeGreaterThan(3);
    await expect.poll(() => opened.page.url()).not.toContain('token');
  });

  it('draws a box with the mouse, keeps it over a reload, and undoes it after', async () => {
    await desk.openImage(unlabelled);
    await desk.expectBoxCount(0);
    await desk.find('canvas').click({ position: { x: 4, y: 4 } });
    await opened.page.keyboard.press('2');
    await desk.drawBox([100, 120, 220, 260]);
    await desk.expectBoxCount(1);
    await desk.waitUntilSaved();
    const drawn = await opened.page.evaluate(
      () => document.querySelector('[data-testid=box-row]')?.textContent,
    );
    expect(drawn).toContain('WBC');

    await opened.page.reload();
    await desk.find('image-row').first().waitFor();
    await desk.openImage(unlabelled);
    await desk.expectBoxCount(1);

    await opened.page.keyboard.press('Escape');
    await desk.find('canvas').click({ position: { x: 4, y: 4 } });
    await opened.page.keyboard.press('Control+z');
    await desk.expectBoxCount(0);
    await opened.page.keyboard.press('Control+Shift+z');
    await desk.expectBoxCount(1);
    await desk.waitUntilSaved();
  });

  it('moves and resizes by mouse, nudges by key, deletes, and takes the deletion back', async () => {
    await opened.page.keyboard.press('v');
    const size = () => desk.find('box-row').first().textContent();
    const centre = await desk.toPage(160, 190);
    await opened.page.mouse.click(centre.x, centre.y);
    await expect.poll(() => desk.canvas('selected-id')).not.toBe('');
    await desk.drag([160, 190], [200, 210]);
    await desk.drag([260, 280], [300, 330]);
    await expect.poll(size).toMatch(/160 × 190/);
    await opened.page.keyboard.press('Control+ArrowRight');
    await expect.poll(size).toMatch(/161 × 190/);
    await opened.page.keyboard.press('Delete');
    await desk.expectBoxCount(0);
    await opened.page.keyboard.press('Control+z');
    await desk.expectBoxCount(1);
    await desk.waitUntilSaved();
  });

  it('shows a class name as text, whatever it says', async () => {
    const name = '<img src=x onerror="document.title=\'owned\'">';
    await desk.find('add-class').click();
    await desk.find('class-search').fill(name);
    await opened.page.keyboard.press('Enter');
    await expect.poll(() => desk.find('class-list').textContent()).toContain(name);
    expect(await opened.page.title()).not.toContain('owned');
    expect(await opened.page.locator('img[src=x]').count()).toBe(0);
  });

  it('trains on the software GPU, survives a lost device, and every beam is live', async () => {
    await desk.openTab('train');
    await expect
      .poll(() => desk.find('gpu-chip').first().getAttribute('data-backend'), { timeout: 60_000 })
      .toBe('webgpu');
    await desk.find('config-side').selectOption('128');
    await desk.find('config-steps').fill('100000');
    await desk.find('start-run').click();
    await expect.poll(() => desk.step(), { timeout: 120_000 }).toBeGreaterThanOrEqual(2);
    const early = await Promise.all(classNames.map((name) => desk.beam(name)));
    await expect.poll(() => desk.step(), { timeout: 200_000, interval: 500 }).toBeGreaterThanOrEqual(30);
    // The driver stops: the run goes on by itself, from its last checkpoint or from the start.
    await desk.find('gpu-chip').first().hover();
    await desk.find('lose-device').click();
    const reached = await desk.step();
    await expect.poll(() => desk.step(), { timeout: 60_000 }).toBeLessThan(reached);
    await expect.poll(() => desk.step(), { timeout: 200_000, interval: 500 }).toBeGreaterThan(reached);
    expect(await desk.find('run-view').textContent()).toContain('the engine on SwiftShader');
    expect(await desk.find('run-slow').textContent()).toContain('the processor playing a GPU');
    const later = await Promise.all(classNames.map((name) => desk.beam(name)));
    for (const [index, beam] of later.entries()) {
      expect(beam.foreground + beam.background).toBeGreaterThan(0);
      expect(beam).not.toEqual(early[index]);
    }
    const shown = desk.find('classification-loss');
    const [value, sum] = await Promise.all(
      ['data-value', 'data-sum'].map((name) => shown.getAttribute(name)),
    );
    expect(Math.abs(Number(sum) / Number(value) - 1)).toBeLessThan(1e-5);
    // The screen answers while the GPU works: a tab switch is a frame or two, not a step.
    await desk.openTab('label');
    await desk.openTab('train');
    await desk.find('stop-run').click();
    await expect
      .poll(() => desk.find('run-status').getAttribute('data-status'), { timeout: 120_000 })
      .toBe('stopped');
  });

  it('has written every step with terms that sum to its classification loss', async () => {
    const [run] = await ask(serving, 'runs.list', {});
    const events: RunEvent[] = [];
    const request: Client['request'] = (name, params) => ask(serving, name, params);
    await readRunEvents({ request }, run!.id, (page) => events.push(...page));
    const starts = events.filter((event) => event.event === 'start');
    expect(starts.map(({ backend }) => backend)).toEqual(['engine', 'engine']);
    const steps = events.filter((event) => event.event === 'step');
    expect(steps.length).toBeGreaterThanOrEqual(30);
    for (const { balance, classification } of steps) {
      const sum = balance.reduce((total, each) => total + each.foreground + each.background, 0);
      expect(Math.abs(sum / classification - 1)).toBeLessThan(1e-4);
    }
  });

  it('redraws the same run from its file after a reload', async () => {
    await desk.find('beam-RBC').waitFor();
    const before = await Promise.all(classNames.map((name) => desk.beam(name)));
    await opened.page.reload();
    await desk.openTab('train');
    await opened.page.getByText(/^Runs \(/).click();
    await desk.find('run-list').locator('li').first().click();
    await desk.find('beam-RBC').waitFor({ timeout: 30_000 });
    const after = await Promise.all(classNames.map((name) => desk.beam(name)));
    after.forEach((beam, index) => {
      expect(beam.foreground).toBeCloseTo(before[index]!.foreground, 6);
      expect(beam.background).toBeCloseTo(before[index]!.background, 6);
    });
  });

  it('proposes boxes on images nobody has labelled, and an accepted one is a label that a model drew', async () => {
    await desk.openTab('review');
    const threshold = desk.find('score-threshold').getByRole('slider');
    await threshold.focus();
    await opened.page.keyboard.press('Home');
    await desk.find('predict-all').click();
    await desk.find('predict-ended').waitFor({ timeout: 240_000 });
    expect(Number(await desk.find('predict-ended').getAttribute('data-proposals'))).toBeGreaterThan(0);

    const card = opened.page.locator('[data-testid^="card-"]').first();
    const imageId = (await card.getAttribute('data-testid'))!.replace('card-', '');
    const proposals = Number(await card.getAttribute('data-proposals'));
    await card.locator('button, [role=button]').first().click();
    await desk.find('workspace-label').waitFor({ state: 'visible' });
    await expect.poll(() => desk.canvas('image-id')).toBe(imageId);
    await desk.waitForCanvas();
    await desk.find('canvas').focus();
    await opened.page.keyboard.press('Tab');
    await opened.page.keyboard.press('Enter');
    await desk.waitUntilSaved();
    const { boxes } = await ask(serving, 'images.open', { imageId });
    expect(proposalsOf(boxes)).toHaveLength(proposals - 1);
    const accepted = labelsOf(boxes).filter(({ origin }) => origin === 'model');
    expect(accepted).toHaveLength(1);
    expect(accepted[0]!.score).toBeGreaterThan(0);
  });

  it('says nothing wrong on the console', () => {
    const complaints = opened.log.filter((line) => /^(error|uncaught)/.test(line));
    expect(complaints).toEqual([]);
  });
});
