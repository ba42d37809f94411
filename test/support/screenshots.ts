/**
 * Takes the pictures of `docs/screenshots` from the running workstation: `npm run screenshots -- PROJECT [FOLDER]`. The
 * project should hold a finished run, the first that was made in it, and a race; proposals are made on its unlabelled images on the way.
 */
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { serve } from '../../electron/web/serve.ts';
import { openBrowser } from './browser.ts';

const [project, folder = 'docs/screenshots'] = process.argv.slice(2);
if (!project) throw new Error('usage: npm run screenshots -- PROJECT [FOLDER]');
const sizes = { wide: [1440, 900], small: [1024, 700] } as const;
const themes = ['light', 'dark'] as const;

const serving = await serve({
  project,
  open: false,
  dataPath: join(tmpdir(), `boxwright-pictures-${process.pid}`),
  print: console.log,
});
await mkdir(folder, { recursive: true });
try {
  for (const theme of themes) for (const size of ['wide', 'small'] as const) await tour(theme, size);
} finally {
  await serving.close();
}

async function tour(theme: (typeof themes)[number], size: keyof typeof sizes): Promise<void> {
  const [widthPx, heightPx] = sizes[size];
  const opened = await openBrowser({ widthPx, heightPx, colorScheme: theme });
  const { page } = opened;
  const suffix = size === 'wide' ? theme : `${theme}-small`;
  const shoot = async (name: string) => {
    await page.waitForTimeout(700);
    // A palette of 256 colours: a third of the bytes, and nobody sees it in a page.
    await sharp(await page.screenshot())
      .png({ palette: true, effort: 8 })
      .toFile(join(folder!, `${name}-${suffix}.png`));
  };
  try {
    await page.goto(serving.address);
    await page.locator('[data-testid=canvas][data-phase=ready]').waitFor();
    await page.waitForTimeout(1500);
    await shoot('label');
    await page.keyboard.press('?');
    await shoot('keys');
    await page.keyboard.press('Escape');
    await openTab(page, 'train');
    await page.getByTestId('coverage-verdict').waitFor({ timeout: 60_000 });
    await shoot('anchors');
    await page.getByTestId('before-topic').getByText('First step').click();
    await measureFirstStep(page);
    await shoot('before');
    await page.getByTestId('start-from-published').click();
    await page.getByText('RetinaNet R50, COCO').click();
    await shoot('start-from');
    await page.getByText(/^Runs \(/).click();
    await page.getByTestId('run-list').locator('li').last().click(); // the first that was made
    await page.getByTestId('balance-board').waitFor();
    await page.waitForTimeout(1500);
    await shoot('train');
    for (const tab of ['concentration', 'hardness']) {
      await page.getByTestId(`lab-tab-${tab}`).click();
      await page.waitForTimeout(2500); // pictures of the hardest anchors are fetched
      await shoot(tab);
    }
    await page.getByTestId('lab-tab-balance').click();
    await page.getByTestId('export-weights').click();
    await shoot('export-weights');
    await page.keyboard.press('Escape');
    await page.getByTestId('loss-chart').scrollIntoViewIfNeeded();
    await shoot('loss');
    await page.getByText(/^Races/).click();
    await page.getByTestId('race-list').locator('li').first().click();
    await page.getByTestId('race-table').waitFor();
    await page.waitForTimeout(1500);
    await shoot('race');
    await openTab(page, 'review');
    if ((await page.locator('[data-testid^="card-"]').count()) === 0) await predict(page);
    if ((await page.getByTestId('evaluation').getByText('AP75 (%)').count()) === 0) await evaluate(page);
    await shoot('review');
    const card = page.locator('[data-testid^="card-"]').first();
    await card.locator('button, [role=button]').first().click();
    await page.locator('[data-testid=canvas][data-phase=ready]').waitFor();
    await shoot('proposals');
  } finally {
    await opened.close();
    for (const line of opened.log) if (/^(error|uncaught)/.test(line)) console.log(line);
  }
}

async function openTab(page: Page, name: string): Promise<void> {
  await page.getByTestId(`tab-${name}`).click();
  await page.getByTestId(`workspace-${name}`).waitFor({ state: 'visible' });
}

async function measureFirstStep(page: Page): Promise<void> {
  if (await page.getByTestId('look-ahead').count()) await page.getByTestId('look-ahead').click();
  await page.getByTestId('first-step-table').waitFor({ timeout: 120_000 });
}

async function predict(page: Page): Promise<void> {
  await page.getByTestId('predict-all').click();
  await page.getByTestId('predict-ended').waitFor({ timeout: 300_000 });
}

async function evaluate(page: Page): Promise<void> {
  await page.getByTestId('evaluate-run').click();
  await page.getByTestId('evaluate-cancel').waitFor();
  await page.getByTestId('evaluate-cancel').waitFor({ state: 'detached', timeout: 300_000 });
}
