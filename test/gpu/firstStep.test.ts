/** Before the first step every anchor stands at the prior: the paper's argument, measured on the network that a run starts with. */
import { beforeAll, expect, it } from 'vitest';
import { anchorCounts } from '../../shared/detector/anchors.ts';
import { defaultNetworkOptions, pyramidSizes } from '../../shared/detector/network.ts';
import { uniformAt } from '../../shared/domain/random.ts';
import { analyticBackground, firstStepUnder } from '../../shared/loss/firstStepLoss.ts';
import { decodeHistogram } from '../../shared/loss/histogramText.ts';
import { createReferenceExecutor } from '../../shared/reference/executor.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { FirstStep } from '../../shared/training/firstStep.ts';
import { measureFirstStep } from '../../shared/training/measureFirstStep.ts';
import type { TrainingImage } from '../../shared/training/ports.ts';
import { testDevice } from './softwareDevice.ts';

const side = 96;
const classes = ['cell', 'platelet'];
const focal = { alpha: 0.25, gamma: 2 };
let device: Awaited<ReturnType<typeof testDevice>>;

beforeAll(async () => {
  device = await testDevice();
});

const images = [0, 1].map(
  (index): TrainingImage => ({
    id: `${index}`,
    name: `${index}.png`,
    widthPx: side,
    heightPx: side,
    boxes: [
      { boxPx: [10, 12, 40 + index * 8, 44], classIndex: 0, ignore: false },
      { boxPx: [50, 50, 66, 68], classIndex: 1, ignore: false },
    ],
  }),
);

async function firstStepOf(prior: number, seed = 1): Promise<FirstStep> {
  const { name: adapter, software } = device.device;
  const network = defaultNetworkOptions('nano', classes.length);
  const options = { network, boxLoss: 'l1', prior, seed, adapter, software, watch: device.watch } as const;
  const executor = await createReferenceExecutor(options);
  const config = { ...defaultTrainConfig, minSizePx: side, maxSizePx: side, seed };
  const pixels = async (id: string) =>
    Uint8Array.from({ length: side * side * 3 }, (_, at) => 256 * uniformAt(Number(id) + 1, at));
  try {
    return await measureFirstStep(executor, config, { classes, train: images, pixels }, { images: 2 });
  } finally {
    executor.dispose();
  }
}

/** Of the frame: counted from its size, not from what was measured. */
const anchorsOfFrame = anchorCounts(pyramidSizes(side, side), {
  anchorSizes: defaultNetworkOptions('nano', 2).anchorSizes,
}).reduce((sum, count) => sum + count, 0);

function backgroundUnder(firstStep: FirstStep, prior: number): { measured: number; analytic: number } {
  const histogram = decodeHistogram(firstStep.histogram);
  const anchors = firstStep.anchors - firstStep.positives / classes.length;
  return {
    measured: firstStepUnder({ ...firstStep, histogram }, { ...focal, prior }).background,
    analytic: analyticBackground({ ...focal, anchors, classCount: classes.length, prior }),
  };
}

it.each([1, 2, 3])('costs what the formula says, with the prior and without: seed %i', async (seed) => {
  const firstStep = await firstStepOf(0.01, seed);
  expect(firstStep).toMatchObject({ images: 2, widthPx: side, heightPx: side, prior: 0.01, classes });
  // All but the few that are ignored, between object and background.
  expect(firstStep.anchors).toBeLessThanOrEqual(anchorsOfFrame);
  expect(firstStep.anchors).toBeGreaterThan(0.97 * anchorsOfFrame);
  for (const prior of [0.01, 0.5]) {
    const { measured, analytic } = backgroundUnder(firstStep, prior);
    expect(Math.abs(measured / analytic - 1), `prior ${prior}`).toBeLessThan(0.01);
  }
});

it('knows the loss under another prior as if it had been measured with it', async () => {
  const shifted = backgroundUnder(await firstStepOf(0.01), 0.5);
  const measured = backgroundUnder(await firstStepOf(0.5), 0.5);
  expect(shifted.analytic).toBe(measured.analytic);
  expect(Math.abs(shifted.measured / measured.measured - 1)).toBeLessThan(1e-4);
});
