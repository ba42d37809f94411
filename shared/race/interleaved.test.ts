/** Plain runs that race: what each learns is what it learns alone, and one that breaks does not end the others. */
import { expect, it } from 'vitest';
import { CellExecutor } from '../../test/learning/cellExecutor.ts';
import { defaultTrainConfig } from '../training/config.ts';
import { RunControl } from '../training/control.ts';
import type { RunEvent } from '../training/events.ts';
import type { TrainingData, TrainingImage } from '../training/ports.ts';
import { runTraining } from '../training/run.ts';
import type { RaceOrder } from './race.ts';
import { courseOf } from './raceLog.ts';
import { raceTable } from './raceTable.ts';
import { type Competitor, runRace } from './runRace.ts';
import { forgottenFiles } from './tuneLearningRate.ts';

const sizePx = 64;
const images = Array.from(
  { length: 4 },
  (_, index): TrainingImage => ({
    ...{ id: `image${index}`, name: `image${index}.png`, widthPx: sizePx, heightPx: sizePx },
    boxes: [{ boxPx: [32 * (index % 2), 0, 32 * (index % 2) + 32, 32], classIndex: 0, ignore: false }],
  }),
);
const data: TrainingData = {
  classes: ['red'],
  train: images.slice(0, 3),
  validation: images.slice(3),
  pixels: async (id) => new Uint8Array(sizePx * sizePx * 3).fill(60 + 40 * Number(id.slice(-1))),
};
const config = {
  ...{ ...defaultTrainConfig, steps: 12, minSizePx: sizePx, maxSizePx: sizePx },
  ...{ evaluateEvery: 5, checkpointEvery: 4, warmupSteps: 2 },
};
const yieldToHost = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Runner extends Competitor {
  readonly events: RunEvent[];
}

/** `breaksAt`: the step whose images are not finite. */
function runner(key: string, learningRate: number, diary: string[], breaksAt = Infinity): Runner {
  const events: RunEvent[] = [];
  const executor = new CellExecutor(1);
  const step = executor.step.bind(executor);
  let calls = 0;
  executor.step = (batch, settings) => {
    if (++calls >= breaksAt) batch.images.fill(Number.NaN);
    return step(batch, settings);
  };
  return {
    key,
    events,
    start: (pass) =>
      runTraining({
        ...{
          runId: key,
          config: { ...config, learningRate },
          network: {},
          data,
          executor,
          files: forgottenFiles,
        },
        ...{ clock: () => 0, control: new RunControl(), yieldToHost: pass },
        onEvent: (event) => {
          events.push(event);
          if (event.event === 'step') diary.push(`${key}${event.step}`);
        },
      }),
  };
}

async function race(order: RaceOrder) {
  const diary: string[] = [];
  const runners = [runner('a', 0.1, diary), runner('b', 0.1, diary, 5), runner('c', 0.4, diary)];
  await runRace(runners, { order, yieldToHost });
  return { runners, diary };
}

it('gives each what it would have alone, whoever else races and breaks', async () => {
  const turns = await race('turns');
  const interleaved = await race('interleaved');
  expect(interleaved.diary.slice(0, 14).join(' ')).toBe('a1 b1 c1 a2 b2 c2 a3 b3 c3 a4 b4 c4 a5 c5');
  expect(turns.diary.slice(0, 17).join(' ')).toMatch(/^a1 a2 .* a12 b1 b2 b3 b4 c1$/);
  expect(interleaved.diary).toHaveLength(12 + 4 + 12);
  interleaved.runners.forEach(({ events }, index) => {
    expect(events).toEqual(turns.runners[index]!.events);
  });
  const logs = interleaved.runners.map(({ key, events }) => ({
    ...{ label: key, config, trials: [], course: courseOf(events) },
  }));
  expect(raceTable(logs)).toMatchObject([
    { status: 'done', step: 12, evaluation: { step: 12 }, problem: null },
    { status: 'failed', step: 4, problem: expect.stringContaining('step 5') },
    { status: 'done', step: 12, evaluation: { step: 12 } },
  ]);
});
