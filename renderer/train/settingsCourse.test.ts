import { describe, expect, it } from 'vitest';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import { changeWords, settingsCourse } from './settingsCourse.ts';

describe('settingsCourse', () => {
  it('tells what held from which step on, with the numbers that the strategy reads', () => {
    const applied = [
      { step: 20, change: { gamma: 0 } },
      { step: 50, change: { loss: 'ohem' as const } },
      { step: 50, change: { hardCount: 64, learningRate: 0.002 } },
    ];
    expect(settingsCourse(defaultTrainConfig, applied)).toEqual([
      { fromStep: 1, loss: 'Focal loss, γ 2, α 0.25', learningRate: 0.01 },
      { fromStep: 20, loss: 'Focal loss, γ 0, α 0.25', learningRate: 0.01 },
      { fromStep: 50, loss: 'Hard examples (OHEM), 64 per image, NMS 0.5', learningRate: 0.002 },
    ]);
  });
});

describe('changeWords', () => {
  it('names what is changed and nothing else', () => {
    expect(changeWords({ gamma: 1, learningRate: 0.02 })).toBe('γ 1, learning rate 0.02');
    expect(changeWords({ loss: 'ce' })).toBe('Cross-entropy');
  });
});
