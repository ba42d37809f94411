import { describe, expect, it } from 'vitest';
import { addLogit, emptyHistogram } from '../../../shared/loss/histogramOps.ts';
import { encodeHistogram } from '../../../shared/loss/histogramText.ts';
import { courseOf, courseUntil, type RaceLog } from '../../../shared/race/raceLog.ts';
import { raceTable } from '../../../shared/race/raceTable.ts';
import { defaultTrainConfig } from '../../../shared/training/config.ts';
import type { RunEvent } from '../../../shared/training/events.ts';
import { lossChart, shareChart } from './raceCharts.ts';
import { raceTableCells } from './raceTableCells.ts';

const step = (number: number): RunEvent => ({
  ...{ event: 'step', step: number, loss: 4, classification: 4, box: 0, lr: 0.01, positives: 1, stepMs: 1 },
  balance: [
    {
      ...{ class: 'RBC', foreground: 1, background: 3, backgroundTrue: 3, backgroundOther: 0, positives: 1 },
      ...{ backgroundTrueAnchors: 9, backgroundOtherAnchors: 0 },
      ...{ foregroundGradient: 1, backgroundTrueGradient: 1, backgroundOtherGradient: 0 },
    },
  ],
});

/** One object answered with a coin's toss, nine places of background likewise. */
function statistics(): RunEvent {
  const histogram = emptyHistogram(1);
  addLogit(histogram, 0, 'foreground', 0);
  addLogit(histogram, 0, 'backgroundTrue', 0, 9);
  return {
    ...{ event: 'statistics', step: 10, steps: 10, scale: 1, hardest: [] },
    histogram: encodeHistogram(histogram),
  };
}

function logOf(events: readonly RunEvent[]): RaceLog {
  return { label: 'Focal loss', config: defaultTrainConfig, trials: [], course: courseOf(events) };
}

describe('shareChart', () => {
  it('draws the loss’s share and the gradient’s, and long races in few points', () => {
    const steps = Array.from({ length: 4000 }, (_, index) => step(index + 1));
    const { panels } = shareChart([logOf(steps)], 4000);
    expect(panels.map(({ series }) => series[0]!.points.at(-1))).toEqual([
      [4000, 0.75],
      [4000, 0.5],
    ]);
    expect(panels[0]!.series[0]!.points.length).toBeLessThanOrEqual(160);
  });
});

describe('lossChart', () => {
  it('weighs every answer alike, for each object’s anchor', () => {
    const value = (measure: 'ce' | 'focal') =>
      lossChart([logOf([statistics()])], 10, measure).panels.map(({ series }) => series[0]!.points[0]![1]);
    const [objects, background] = value('ce');
    expect(objects).toBeCloseTo(Math.LN2, 2);
    expect(background).toBeCloseTo(9 * Math.LN2, 1);
    const [focalObjects, focalBackground] = value('focal');
    expect(focalObjects).toBeCloseTo(0.25 * 0.25 * Math.LN2, 2);
    expect(focalBackground).toBeCloseTo(9 * 0.75 * 0.25 * Math.LN2, 1);
  });
});

describe('a race that is looked back at', () => {
  const { course, ...log } = logOf([step(1), step(2), statistics(), step(11), step(12)]);
  const cellsAt = (until: number) => {
    const [heads, row] = raceTableCells(raceTable([{ ...log, course: courseUntil(course, until) }]), ['RBC']);
    return Object.fromEntries(heads!.map((head, index) => [head, row![index]]));
  };

  it('is what it was after that step: the steps and the counts before it', () => {
    expect(cellsAt(12)).toMatchObject({
      strategy: 'Focal loss',
      step: 12,
      "background's share, own loss": 0.75,
    });
    expect(cellsAt(12)['background, cross-entropy']).toBeCloseTo(9 * Math.LN2, 1);
    expect(cellsAt(2)).toMatchObject({
      step: 2,
      'background, own loss': 3,
      'background, cross-entropy': undefined,
    });
  });

  it('has a cell under every head', () => {
    const [heads, row] = raceTableCells(raceTable([{ ...log, course }]), ['RBC', 'WBC']);
    expect(row).toHaveLength(heads!.length);
    expect(new Set(heads).size).toBe(heads!.length);
  });
});
