/** What goes wrong on the screens' side ends in a sentence, and the rest goes on. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, serve } from '../../electron/web/serve.ts';
import { browserSupported, type OpenedBrowser, openBrowser } from '../support/browser.ts';
import { ask } from './ask.ts';
import { WorkstationPage } from './workstationPage.ts';

describe.skipIf(!browserSupported)('bad input', () => {
  let dataPath: string;
  let serving: Serving;
  let opened: OpenedBrowser;

  beforeAll(async () => {
    dataPath = await mkdtemp(join(tmpdir(), 'boxwright-e2e-bad-'));
    serving = await serve({ open: false, dataPath, print: () => {} });
    opened = await openBrowser({ widthPx: 1024, heightPx: 700 });
  });

  afterAll(async () => {
    await opened?.close();
    await serving?.close();
    await rm(dataPath, { recursive: true, force: true });
  });

  it('says how to open the page where the key is missing', async () => {
    const page = await opened.newPage();
    await page.goto(serving.url);
    await page.getByTestId('screen-no-token').waitFor();
    expect(await page.getByTestId('screen-no-token').textContent()).toContain('npm start');
    await page.context().close();
  });

  it('labels without WebGPU, and says that training will be slow', async () => {
    const page = await opened.newPage();
    // As in a browser that has none: neither the page nor its workers find `navigator.gpu`.
    const removal = `Object.defineProperty((self.WorkerNavigator ?? self.Navigator).prototype, 'gpu', { configurable: true, value: undefined });`;
    await page.route('**/*.js', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: `${removal}\n${await answer.text()}` });
    });
    try {
      const desk = new WorkstationPage(page);
      await desk.open(serving.address);
      const before = await desk.boxCount();
      expect(before).toBeGreaterThan(0);
      await desk.drawBox([300, 200, 360, 260]);
      await desk.expectBoxCount(before + 1);
      await desk.waitUntilSaved();
      const chip = desk.find('gpu-chip');
      await expect.poll(() => chip.getAttribute('data-backend'), { timeout: 30_000 }).toMatch(/webgl|cpu/);
    } finally {
      await page.context().close();
    }
  });

  it('lists the files it could not read and takes the rest; a folder without images gets a sentence', async () => {
    const empty = join(dataPath, 'nothing here');
    await mkdir(empty);
    await writeFile(join(empty, 'notes.txt'), 'no image');
    const job = await finished(await ask(serving, 'images.addFolder', { path: empty }));
    expect(job.state).toBe('failed');
    expect(job.error?.message).toContain('nothing here');
    expect(job.error?.remedy).not.toBe('');

    const mixed = join(dataPath, 'mixed');
    await mkdir(mixed);
    await writeFile(join(mixed, 'empty.jpg'), '');
    await writeFile(join(mixed, 'text.jpg'), 'this is no photograph');
    const { image } = await ask(serving, 'images.open', {
      imageId: (await ask(serving, 'images.list', {}))[0]!.id,
    });
    const picture = await ask(serving, 'images.derivative', { imageId: image.id, variant: 'thumb' });
    await writeFile(join(mixed, `good.${picture.mime.split('/')[1]}`), picture.bytes);
    const second = await finished(await ask(serving, 'images.addFolder', { path: mixed }));
    expect(second.state).toBe('done');
    expect(second.problems.map(({ file }) => file).sort()).toEqual([
      expect.stringContaining('empty.jpg'),
      expect.stringContaining('text.jpg'),
    ]);
    const names = (await ask(serving, 'images.list', {})).map(({ relativePath }) => relativePath);
    expect(names.some((name) => name.includes('good.'))).toBe(true);
  });

  async function finished({ id }: { id: string }) {
    await expect.poll(async () => (await find(id)).state, { timeout: 20_000 }).not.toBe('running');
    return find(id);
  }

  async function find(id: string) {
    return (await ask(serving, 'jobs.list', {})).find((job) => job.id === id)!;
  }
});
