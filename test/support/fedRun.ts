/**
 * A run whose events come as fast as one likes: in place of the worker that trains, one that only makes up events. Everything
 * on the page's side of it is the application itself.
 */
import type { Page } from 'playwright-core';
import type { Serving } from '../../electron/web/serve.ts';
import { RandomStream } from '../../shared/domain/random.ts';
import { sides } from '../../shared/loss/histogram.ts';
import { addLogit, emptyHistogram } from '../../shared/loss/histogramOps.ts';
import { encodeHistogram } from '../../shared/loss/histogramText.ts';
import { snapshotInterval } from '../../shared/training/stepEvents.ts';
import { ask } from '../e2e/ask.ts';

export interface FedRun {
  readonly classCount: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
}

/** With the workstation open on the page: adds classes to its project until it has so many, and starts a run of so many steps whose events are fed. */
export async function startFedRun(page: Page, serving: Serving, plan: FedRun): Promise<void> {
  await page.goto('about:blank');
  const { length } = await ask(serving, 'classes.list', {});
  for (let index = length; index < plan.classCount; index++) {
    await ask(serving, 'classes.add', { name: `Class ${String(index + 1).padStart(2, '0')}` });
  }
  await page.route('**/assets/main-*.js', async (route) => {
    await route.fulfill({ response: await route.fetch(), body: feeder(plan) });
  });
  await page.goto(serving.address);
  await page.locator('[data-testid=canvas][data-phase=ready]').waitFor();
  await page.getByTestId('tab-train').click();
  await page.getByLabel('Steps', { exact: true }).fill(String(plan.steps));
  await page.getByTestId('start-run').click();
  await page.getByTestId('balance-board').waitFor();
}

export async function stepReached(page: Page): Promise<number> {
  return Number(await page.getByTestId('run-step').getAttribute('data-step'));
}

/** Snapshots as large as eighty classes of real logits make them: a few, told in turn. */
function snapshotTexts(classCount: number): string[] {
  const random = new RandomStream('snapshots');
  return Array.from({ length: 4 }, (_, index) => {
    const histogram = emptyHistogram(classCount);
    for (let classIndex = 0; classIndex < classCount; classIndex++) {
      for (const side of sides) {
        const [centre, spread, draws] = side === 'foreground' ? [-1, 2, 40] : [5 + index / 4, 2.2, 500];
        for (let draw = 0; draw < draws; draw++) {
          const normal = random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2;
          addLogit(
            histogram,
            classIndex,
            side,
            centre + spread * 1.7 * normal,
            side === 'foreground' ? 1 : 40,
          );
        }
      }
    }
    return encodeHistogram(histogram);
  });
}

function feeder({ classCount, steps, stepsPerSecond }: FedRun): string {
  const interval = snapshotInterval({ statisticsEvery: 10 }, classCount);
  return `
    const texts = ${JSON.stringify(snapshotTexts(classCount))};
    const device = { adapter: 'Fed', backend: 'webgpu', software: false, note: null, maxBufferSize: 2 ** 30 };
    onmessage = ({ data }) => {
      if (data.type === 'probe') postMessage({ type: 'device', device });
      else if (data.type === 'train') begin(data.task);
      else if (data.type === 'first-step' || data.type === 'measure')
        postMessage({ type: 'measure-failed', problem: { kind: 'bad-input', message: 'm', remedy: 'r', detail: '' } });
    };
    function begin({ runId, classes }) {
      const tell = (event) => postMessage({ type: 'run-event', runId, event });
      postMessage({ type: 'device', device });
      tell({ event: 'start', runId, classes, adapter: 'Fed', backend: 'webgpu', software: false, trainImages: 80,
        validationImages: 20, parameterCount: 36e6, fromStep: 0 });
      let step = 0;
      const beganMs = performance.now();
      const timer = setInterval(() => {
        const due = Math.min(${steps}, Math.floor((performance.now() - beganMs) * ${stepsPerSecond / 1000}));
        while (step < due) feed(++step, tell, classes);
        if (step < ${steps}) return;
        clearInterval(timer);
        tell({ event: 'done', step, reason: 'finished', weights: '', AP: 0.4, AP50: 0.6, seconds: 60 });
        postMessage({ type: 'train-ended', runId, status: 'finished', problem: null });
      }, 10);
    }
    function feed(step, tell, classes) {
      const fading = 1 / (1 + step / 1000);
      const balance = classes.map((name, index) => {
        const foreground = (0.5 + Math.random()) * fading * 0.02;
        const backgroundTrue = (0.5 + Math.random()) * fading * fading * 0.03 * (1 + index % 5);
        const backgroundOther = 0.1 * backgroundTrue;
        return { class: name, foreground, background: backgroundTrue + backgroundOther, backgroundTrue, backgroundOther,
          positives: Math.floor(20 * Math.random()), backgroundTrueAnchors: 76000, backgroundOtherAnchors: 300,
          foregroundGradient: foreground / 2, backgroundTrueGradient: backgroundTrue / 2,
          backgroundOtherGradient: backgroundOther / 2 };
      });
      const classification = balance.reduce((sum, each) => sum + each.foreground + each.background, 0);
      tell({ event: 'step', step, loss: classification + fading, classification, box: fading, lr: 0.01, positives: 100,
        balance, stepMs: ${1000 / stepsPerSecond} });
      if (step % ${interval} === 0)
        tell({ event: 'statistics', step, steps: ${interval}, scale: 0.01, histogram: texts[(step / ${interval}) % texts.length],
          hardest: [] });
      if (step % 1000 === 0)
        tell({ event: 'evaluation', step, AP: 0.3, AP50: Math.min(0.6, step / 10000), perClass: {}, images: 20 });
      if (step % 2500 === 0) tell({ event: 'control', step: step + 1, change: { gamma: step % 5000 === 0 ? 2 : 0 } });
    }
  `;
}
