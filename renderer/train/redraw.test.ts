/** Every curve scrubs back to any step, and a run's events redraw all of it: what is drawn live is drawn again from the file alone. */
import { describe, expect, it } from 'vitest';
import { concentrationChart } from '../../shared/charts/figures/concentration.ts';
import { probabilityChart } from '../../shared/charts/figures/probability.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { sides } from '../../shared/loss/histogram.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import { type RunEvent, runEventSchema } from '../../shared/training/events.ts';
import { stripPaths } from '../balance/beams/geometry.ts';
import { concentrationSentence } from '../balance/concentration/readOut.ts';
import { backgroundSides, curveGamma, sliceOfClass } from '../balance/evidence.ts';
import { carriersIn } from '../balance/hardness/carriers.ts';
import { emptyHistory, type RunHistory, recordEvents, settingsAt, snapshotAt } from '../store/runHistory.ts';
import { marksOf } from '../store/runHistoryMarks.ts';
import { makeRunLog } from '../store/testing/runLog.ts';
import { beamsOf, ghostOf, loggedEvidence, pointAt, samplesOfCourse } from './moment.ts';
import { lossColumns } from './smoothing.ts';

const classNames = ['RBC', 'WBC', 'Platelets'];
const plan = {
  classes: classNames,
  steps: 2600,
  statisticsEvery: 10,
  changes: { 700: { gamma: 0 }, 1500: { loss: 'ce' as const, learningRate: 0.001 } },
  interrupted: { after: 1720, from: 1400 },
};
const run = { config: defaultTrainConfig, classNames } as RunRecord;
const colorOf = () => '#000000';

/** In batches of any size, as they come from the worker. */
function live(events: readonly RunEvent[]): RunHistory {
  let history = emptyHistory;
  for (let from = 0, size = 1; from < events.length; from += size, size = (size * 7) % 23 || 1) {
    history = recordEvents(history, events.slice(from, from + size));
  }
  return history;
}

/** From the lines of the log, checked as they are when a run is opened. */
function redrawn(events: readonly RunEvent[]): RunHistory {
  const file = events.map((event) => JSON.stringify(event)).join('\n');
  const read = file.split('\n').map((line) => runEventSchema.parse(JSON.parse(line)));
  return recordEvents(emptyHistory, read);
}

/** All that the screens put on paper when this step is looked at. */
function drawn(history: RunHistory, cursorStep: number | null) {
  const moment = { run, history, cursorStep, colorOf };
  const snapshot = snapshotAt(history, cursorStep)!;
  const settings = settingsAt(history, run.config, cursorStep ?? history.step);
  const evidence = loggedEvidence(snapshot, history, run);
  const gamma = curveGamma(evidence.loss);
  const background = sliceOfClass(evidence, 'WBC', backgroundSides);
  return {
    beams: beamsOf(pointAt(moment, null), moment, 'loss'),
    pull: beamsOf(pointAt(moment, snapshot), moment, 'gradient'),
    ghosts: (['cross-entropy', 'focal'] as const).map((kind) =>
      ghostOf(snapshot, { kind, gamma: 3.5 }, { run, history, colorOf, weighed: 'loss' }),
    ),
    strips: classNames.map((name) =>
      stripPaths(samplesOfCourse(history.course, 'loss')(name), history.step, 240, 34, 20),
    ),
    concentration: concentrationChart({
      foreground: sliceOfClass(evidence, null, ['foreground']),
      background,
      pickedGamma: gamma,
    }),
    sentence: concentrationSentence(background, gamma),
    hardness: probabilityChart({
      slices: Object.fromEntries(sides.map((side) => [side, sliceOfClass(evidence, 'RBC', [side])])),
    }),
    carriers: carriersIn(background, gamma, evidence.parts),
    hardest: evidence.hardest,
    caption: evidence.caption,
    settings,
    marks: marksOf(history, run.config),
    losses: lossColumns(history.course, history.evaluations, { smooth: true, floor: 1e-4 }),
  };
}

describe('a run redrawn from its log', () => {
  const events = makeRunLog(plan);
  const [first, second] = [live(events), redrawn(events)];

  it.each([null, 2600, 2399, 1401, 1400, 700, 699, 123, 1])('draws step %s as it was drawn live', (step) => {
    const before = drawn(first, step);
    expect(drawn(second, step)).toEqual(before);
    expect(before.beams.every(({ foreground }) => foreground > 0)).toBe(true);
    expect(before.ghosts[0]!.beams.get('RBC')!.background).toBeGreaterThan(0);
  });

  it('knows which loss held at a step, and marks where it was changed', () => {
    const { gamma, loss, learningRate } = settingsAt(second, run.config, 1499);
    expect({ gamma, loss, learningRate }).toEqual({ gamma: 0, loss: 'focal', learningRate: 0.01 });
    expect(settingsAt(second, run.config, 699).gamma).toBe(2);
    expect(settingsAt(second, run.config, 1500).loss).toBe('ce');
    expect(marksOf(second, run.config)).toEqual([
      { x: 700, label: 'γ 2 → 0' },
      { x: 1500, label: 'Focal loss → Cross-entropy, lr 0.01 → 0.001' },
    ]);
  });

  it('lays the ghost of the very loss that was trained with on the beam itself', () => {
    const snapshot = snapshotAt(second, 600)!;
    const moment = { run, history: second, colorOf };
    const point = pointAt({ ...moment, cursorStep: 600 }, snapshot);
    for (const weighed of ['loss', 'gradient'] as const) {
      const ghost = ghostOf(snapshot, { kind: 'focal', gamma: 2 }, { ...moment, weighed })!;
      for (const beam of beamsOf(point, moment, weighed)) {
        const shown = ghost.beams.get(beam.name)!;
        for (const side of ['foreground', 'backgroundTrue', 'backgroundOther'] as const) {
          expect(shown[side] / beam[side], `${weighed} ${beam.name} ${side}`).toBeCloseTo(1, 9);
        }
      }
    }
  });

  it('shows different numbers at different steps', () => {
    const texts = [null, 1800, 900, 300].map((step) => JSON.stringify(drawn(second, step).concentration));
    expect(new Set(texts).size).toBe(4);
  });
});
