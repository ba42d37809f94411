/** Starting from weights that others have trained, and carrying what was learnt away: the screens' side of weights, both ways. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawSample, sampleDefaults } from '../../electron/services/sample/sample.ts';
import { type Serving, serve } from '../../electron/web/serve.ts';
import { openWeights } from '../../shared/weights/model/openWeights.ts';
import { publishedWeights } from '../../shared/weights/published.ts';
import { type BadServer, file, startBadServer } from '../support/badServer.ts';
import { browserSupported, type OpenedBrowser, openBrowser } from '../support/browser.ts';
import { ask } from './ask.ts';
import { smallDetector, torchCheckpoint } from './torchCheckpoint.ts';
import { WorkstationPage } from './workstationPage.ts';

const published = publishedWeights.find(({ id }) => id === 'resnet18')!;

describe.skipIf(!browserSupported)('weights in and out of the workstation', () => {
  let folder: string;
  let server: BadServer;
  let serving: Serving;
  let opened: OpenedBrowser;
  let desk: WorkstationPage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'boxwright-e2e-weights-'));
    await writeFile(join(folder, 'cells.pth'), torchCheckpoint(smallDetector));
    await writeFile(join(folder, 'photo.pth'), 'this is no checkpoint');
    server = await startBadServer();
    const [project, dataPath] = [join(folder, 'smears'), join(folder, 'data')];
    await drawSample(project, { ...sampleDefaults, images: 24 });
    serving = await serve({ project, open: false, dataPath, downloadBase: server.base, print: () => {} });
    opened = await openBrowser({ widthPx: 1440, heightPx: 900 });
    desk = new WorkstationPage(opened.page);
    await desk.open(serving.address);
    await desk.openTab('train');
    await desk.find('start-from').waitFor();
  });

  afterAll(async () => {
    await opened?.close();
    await serving?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function chooseFile(name: string): Promise<void> {
    await desk.find('start-from-file').click();
    await desk.find('choose-weights-file').click();
    await lookInto(folder);
    await desk.find(`file-${name}`).click();
    await desk.find('use-weights-file').click();
  }

  /** Enter goes to the field itself: a dialog that is just opening still moves the focus. */
  async function lookInto(path: string): Promise<void> {
    await desk.find('folder-path').fill(path);
    await desk.find('folder-path').press('Enter');
  }

  it('says what a file is not, and does not start from it', async () => {
    await chooseFile('photo.pth');
    await expect.poll(() => desk.find('weights-problem').textContent()).toContain('photo.pth');
    expect(await desk.find('start-run').isDisabled()).toBe(true);
  });

  it('says what a file is, and what becomes of it with the classes of this project', async () => {
    await chooseFile('cells.pth');
    const card = desk.find('weights-description');
    await card.waitFor();
    expect(await card.textContent()).toContain('RetinaNet on ResNet-18');
    expect(await card.textContent()).toContain('32-channel pyramid');
    expect(await desk.find('weights-plan').textContent()).toContain('taken as background and dropped');
    expect(await desk.find('fixed-backbone').getAttribute('data-backbone')).toBe('resnet18');
  });

  /** Trains to the end, and answers with the run and what its checkpoint says of its network. */
  async function train(steps: number) {
    await desk.find('config-steps').fill(String(steps));
    await desk.find('start-run').click();
    const newest = async () => (await ask(serving, 'runs.list', {}))[0];
    await expect
      .poll(async () => [(await newest())?.config.steps, (await newest())?.status], { timeout: 120_000 })
      .toEqual([steps, 'done']);
    const run = (await newest())!;
    const { meta } = await ask(serving, 'runs.loadCheckpoint', { runId: run.id });
    return { run, network: meta.network };
  }

  const narrow = { backbone: 'resnet18', fpnChannels: 32, headConvCount: 1, foregroundClassCount: 3 };

  it('trains the network of the file, from its weights', async () => {
    await desk.find('config-side').selectOption('128');
    await desk.find('config-batch').fill('1');
    const { run, network } = await train(2);
    expect(run.config).toMatchObject({ backbone: 'resnet18', init: `file:${join(folder, 'cells.pth')}` });
    expect(network).toMatchObject(narrow);
    await desk.find('run-origin').locator('summary').click();
    expect(await desk.find('run-origin').textContent()).toContain('background');
  });

  it('trains the network of an earlier run, from its weights', async () => {
    await opened.page.getByText('New run').click();
    await desk.find('start-from-run').click();
    expect(await desk.find('weights-plan').textContent()).toContain('Your 3 classes are all known by name');
    expect((await train(1)).network).toMatchObject(narrow);
  });

  it('carries the weights away with their card, for Python and for others', async () => {
    for (const format of ['safetensors', 'onnx']) {
      await desk.find('export-weights').click();
      await desk.find(`export-format-${format}`).click();
      await lookInto(folder);
      await desk.find('export-folder-name').fill(format);
      await desk.find('export-weights-go').click();
      const dialog = opened.page.getByRole('dialog');
      await expect.poll(() => dialog.textContent(), { timeout: 60_000 }).toContain('written to');
      const names = await readdir(join(folder, format));
      expect(names.map((name) => name.split('.').at(-1)).sort()).toEqual(['json', 'md', format].sort());
      for (const name of names) expect(await dialog.textContent()).toContain(name);
      await dialog.getByRole('button', { name: 'Done' }).click();
      await dialog.waitFor({ state: 'detached' });
    }
    const name = (await readdir(join(folder, 'safetensors'))).find((each) => each.endsWith('.safetensors'))!;
    const { description } = openWeights(await readFile(join(folder, 'safetensors', name)), name);
    expect(description).toMatchObject({ content: 'retinanet', classColumns: 3, missing: [], extra: [] });
  });

  it('says before a run begins that its file is gone', async () => {
    await opened.page.getByText('New run').click();
    await desk.find('start-from-file').click();
    await rm(join(folder, 'cells.pth'));
    const before = await ask(serving, 'runs.list', {});
    await desk.find('start-run').click();
    await expect
      .poll(() => opened.page.getByRole('alert', { name: 'There is no file' }).textContent())
      .toContain('cells.pth');
    expect(await ask(serving, 'runs.list', {})).toHaveLength(before.length);
  });

  it('downloads only after asking, can be stopped and go on, and refuses what is not the published file', async () => {
    const impostor = new Uint8Array(published.bytes);
    server.answer(file(impostor, { drip: { bytes: 400_000, everyMs: 100 } }), file(impostor));
    await desk.find('start-from-published').click();
    const row = desk.find('published-resnet18');
    await row.getByRole('radio').click();
    await desk.find('download-resnet18').click();
    expect(await opened.page.getByRole('dialog').textContent()).toContain(published.url);
    expect(server.seen).toEqual([]);
    await desk.find('confirm-download').click();
    await expect.poll(() => desk.find('downloading-resnet18').textContent()).toMatch(/\/s, .* left/);
    await desk.find('cancel-download-resnet18').click();
    await expect.poll(() => row.textContent()).toContain('Stopped at');
    await desk.find('download-resnet18').click();
    await expect
      .poll(() => desk.find('weights-problem').textContent(), { timeout: 30_000 })
      .toContain('is not the published file');
    expect(server.seen).toHaveLength(2);
    expect(server.seen[1]!.range).toMatch(/^bytes=[1-9]/);
    await expect.poll(() => row.getAttribute('data-state')).toBe('absent');
    expect(await desk.find('start-run').isDisabled()).toBe(true);
  });

  it('says nothing wrong on the console but the requests that were refused', () => {
    const complaints = opened.log.filter((line) => /^(error|uncaught)/.test(line));
    expect(complaints.filter((line) => !line.includes('status of 4'))).toEqual([]);
  });
});
