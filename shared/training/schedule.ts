/** The learning rate of every step, from the config alone. */
import type { TrainConfig } from './config.ts';

type ScheduleConfig = Pick<TrainConfig, 'schedule' | 'steps' | 'warmupSteps' | 'learningRate'>;

/** Where `step` divides the rate by ten, as the paper's 60k and 80k of 90k. */
const milestones = [60 / 90, 80 / 90];

/** Learning rate of a step (1-based): linear warm-up to the full rate, then the schedule over what is left. */
export function learningRateAt(step: number, config: ScheduleConfig): number {
  const { learningRate, warmupSteps } = config;
  if (step <= warmupSteps) return (learningRate * step) / warmupSteps;
  return learningRate * factorAt(step, config);
}

function factorAt(step: number, { schedule, steps, warmupSteps }: ScheduleConfig): number {
  switch (schedule) {
    case 'constant':
      return 1;
    case 'cosine':
      return 0.5 * (1 + Math.cos((Math.PI * (step - 1 - warmupSteps)) / Math.max(1, steps - warmupSteps)));
    case 'step':
      return 0.1 ** milestones.filter((milestone) => step > milestone * steps).length;
  }
  return schedule satisfies never;
}
