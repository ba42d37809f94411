import { expect, it } from 'vitest';
import { defaultTrainConfig, hotChangeSchema, trainConfigSchema } from './config.ts';

it('reads what an earlier version stored', () => {
  const stored = {
    ...{ backbone: 'nano', loss: 'focal', alpha: 0.25, gamma: 2, prior: 0.01, boxLoss: 'l1', steps: 420 },
    ...{ batch: 2, minSizePx: 160, maxSizePx: 160, learningRate: 0.02, momentum: 0.9, weightDecay: 0.0001 },
    ...{
      schedule: 'cosine',
      warmupSteps: 50,
      augment: 'default',
      shuffle: true,
      seed: 1,
      checkpointEvery: 100,
    },
    ...{ evaluateEvery: 105, evaluateImages: 500, init: 'random', includeUnreviewed: false },
  };
  const { beta, hardCount, hardNms, anchorScale, statisticsEvery } = defaultTrainConfig;
  expect(trainConfigSchema.parse(stored)).toMatchObject({
    ...stored,
    ...{ beta, hardCount, hardNms, anchorScale, statisticsEvery },
  });
});

it('changes nothing unasked', () => {
  expect(hotChangeSchema.parse({})).toEqual({});
  expect(hotChangeSchema.parse({ gamma: 1, steps: 9 })).toEqual({ gamma: 1 });
});
