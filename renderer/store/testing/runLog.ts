/** A run's log as training writes it, made up from a seed: any number of classes and steps, changed and taken up again on the way. */
import { RandomStream } from '../../../shared/domain/random.ts';
import { sides } from '../../../shared/loss/histogram.ts';
import { addLogit, emptyHistogram } from '../../../shared/loss/histogramOps.ts';
import { encodeHistogram } from '../../../shared/loss/histogramText.ts';
import type { HotChange } from '../../../shared/training/config.ts';
import type { ClassBalanceEvent, RunEvent, StatisticsEvent } from '../../../shared/training/events.ts';

export interface RunLogPlan {
  readonly classes: readonly string[];
  readonly steps: number;
  readonly statisticsEvery: number;
  /** By step. */
  readonly changes?: Readonly<Record<number, HotChange>>;
  /** After this step the run is interrupted, and goes on from the one before it. */
  readonly interrupted?: { readonly after: number; readonly from: number };
}

export function makeRunLog(plan: RunLogPlan): RunEvent[] {
  const random = new RandomStream('run log');
  const { interrupted, steps } = plan;
  const events: RunEvent[] = [startEvent(plan, 0)];
  for (let step = 1; step <= (interrupted?.after ?? steps); step++)
    events.push(...eventsOf(step, plan, random));
  if (!interrupted) return events;
  events.push(startEvent(plan, interrupted.from));
  for (let step = interrupted.from + 1; step <= steps; step++) events.push(...eventsOf(step, plan, random));
  return events;
}

function startEvent({ classes, changes = {} }: RunLogPlan, fromStep: number): RunEvent {
  const later = Object.entries(changes).filter(([step]) => fromStep > 0 && Number(step) > fromStep);
  return {
    event: 'start',
    runId: 'run-0001',
    classes: [...classes],
    adapter: 'a',
    backend: 'webgpu',
    software: false,
    trainImages: 4,
    validationImages: 1,
    parameterCount: 10,
    fromStep,
    changes: later.map(([step, change]) => ({ step: Number(step), change })),
  };
}

function eventsOf(step: number, plan: RunLogPlan, random: RandomStream): RunEvent[] {
  const { classes, statisticsEvery, changes = {} } = plan;
  const change = changes[step];
  const balance = classes.map((name) => balanceOf(name, random));
  const classification = balance.reduce(
    (sum, { foreground, background }) => sum + foreground + background,
    0,
  );
  const box = random.uniform();
  const events: RunEvent[] = change ? [{ event: 'control', step, change }] : [];
  events.push({
    ...{ event: 'step', step, loss: classification + box, classification, box, lr: 0.01 },
    ...{ positives: 10, balance, stepMs: 40 + 10 * random.uniform() },
  });
  if (step % statisticsEvery === 0) events.push(statisticsOf(step, plan, random));
  return events;
}

function balanceOf(name: string, random: RandomStream): ClassBalanceEvent {
  const backgroundTrue = random.uniform();
  const backgroundOther = 0.1 * random.uniform();
  return {
    class: name,
    foreground: random.uniform(),
    background: backgroundTrue + backgroundOther,
    backgroundTrue,
    backgroundOther,
    positives: Math.floor(random.between(0, 20)),
    backgroundTrueAnchors: 4000,
    backgroundOtherAnchors: 30,
    foregroundGradient: random.uniform(),
    backgroundTrueGradient: random.uniform(),
    backgroundOtherGradient: random.uniform(),
  };
}

const centres = { foreground: -1, backgroundTrue: 4, backgroundOther: 3 };
const counts = { foreground: 10, backgroundTrue: 120, backgroundOther: 20 };

export function statisticsOf(
  step: number,
  { classes, statisticsEvery }: RunLogPlan,
  random: RandomStream,
): StatisticsEvent {
  const histogram = emptyHistogram(classes.length);
  for (let classIndex = 0; classIndex < classes.length; classIndex++) {
    for (const side of sides) {
      for (let logit = 0; logit < counts[side]; logit++) {
        const spread = random.uniform() + random.uniform() + random.uniform() - 1.5;
        addLogit(
          histogram,
          classIndex,
          side,
          centres[side] + 4 * spread,
          1 + Math.floor(30 * random.uniform()),
        );
      }
    }
  }
  const hardest = Array.from({ length: 12 }, (_, rank) => ({
    imageId: 'image',
    boxPx: [rank, rank, rank + 20, rank + 20] as [number, number, number, number],
    class: classes[rank % classes.length]!,
    side: sides[rank % sides.length]!,
    probability: random.uniform(),
    loss: 12 - rank,
  }));
  const text = encodeHistogram(histogram);
  return { event: 'statistics', step, steps: statisticsEvery, scale: 0.01, histogram: text, hardest };
}
