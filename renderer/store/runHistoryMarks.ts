/** What was changed during a run, as marks for its charts: where, and from what to what. */
import type { ChartMark } from '../../shared/charts/chart.ts';
import { strategies } from '../../shared/loss/strategies.ts';
import type { HotChange, TrainConfig } from '../../shared/training/config.ts';
import type { RunHistory } from './runHistory.ts';

const symbols: Record<Exclude<keyof HotChange, 'loss'>, string> = {
  alpha: 'α',
  gamma: 'γ',
  beta: 'β',
  hardCount: 'B',
  hardNms: 'NMS',
  learningRate: 'lr',
};

export function marksOf({ changes }: Pick<RunHistory, 'changes'>, config: TrainConfig): ChartMark[] {
  let inForce = config;
  return changes.applied.map(({ step, change }) => {
    const label = changeText(inForce, change);
    inForce = { ...inForce, ...change };
    return { x: step, label };
  });
}

/** "γ 2 → 0, lr 0.01 → 0.001" */
export function changeText(before: TrainConfig, { loss, ...numbers }: HotChange): string {
  const parts = (Object.keys(symbols) as (keyof typeof symbols)[])
    .filter((name) => numbers[name] !== undefined)
    .map((name) => `${symbols[name]} ${before[name]} → ${numbers[name]}`);
  if (loss !== undefined) parts.unshift(`${strategies[before.loss].label} → ${strategies[loss].label}`);
  return parts.join(', ');
}
