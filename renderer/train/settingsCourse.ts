/** What held when: a run's loss and learning rate from step to step, in words. */
import { describeLoss, lossSettingsOf, numberLabels, strategies } from '../../shared/loss/strategies.ts';
import type { HotChange, TrainConfig } from '../../shared/training/config.ts';
import type { TimedChange } from '../../shared/training/events.ts';

export interface SettingsStretch {
  /** The first step that it held for. */
  readonly fromStep: number;
  /** "Focal loss, γ 2, α 0.25" */
  readonly loss: string;
  readonly learningRate: number;
}

/** "Focal loss, γ 2, α 0.25" */
export function lossWords(config: Pick<TrainConfig, 'loss' | keyof HotLoss>): string {
  const { loss, alpha, gamma, beta, hardCount, hardNms } = config;
  return describeLoss(lossSettingsOf({ strategy: loss, alpha, gamma, beta, hardCount, hardNms }));
}

type HotLoss = Omit<HotChange, 'learningRate' | 'loss'>;

/** In the order of their steps; of several changes at one step, the last one holds. */
export function settingsCourse(config: TrainConfig, applied: readonly TimedChange[]): SettingsStretch[] {
  let held = config;
  const stretches = [{ fromStep: 1, loss: lossWords(held), learningRate: held.learningRate }];
  for (const { step, change } of applied) {
    held = { ...held, ...change };
    if (stretches.at(-1)!.fromStep === step) stretches.pop();
    stretches.push({ fromStep: step, loss: lossWords(held), learningRate: held.learningRate });
  }
  return stretches;
}

/** "γ 1, learning rate 0.02" */
export function changeWords(change: HotChange): string {
  const { loss, learningRate, ...numbers } = change;
  const named = Object.entries(numbers) as [keyof typeof numbers, number][];
  return [
    ...(loss ? [strategies[loss].label] : []),
    ...named.map(([name, value]) => numberLabels[name](value)),
    ...(learningRate === undefined ? [] : [`learning rate ${learningRate}`]),
  ].join(', ');
}
