import { describe, expect, it } from 'vitest';
import { evaluateDetections } from '../evaluation/evaluateDetections.ts';
import { countAll, evaluationEvent, evenlySpaced, matchClasses, ofCommonClasses } from './evaluate.ts';
import { runEventSchema } from './events.ts';

const box = (classIndex: number, ignore = false) => ({
  boxPx: [10, 10, 50, 60] as const,
  classIndex,
  ignore,
});
const found = (classIndex: number) => ({ boxPx: [10, 10, 50, 60] as const, classIndex, score: 0.9 });

describe('classes of labels and of a detector', () => {
  it('meet where both know them, in the labels’ order', () => {
    const match = matchClasses(['RBC', 'New', 'WBC'], [2, -1, 0]);
    expect(match).toEqual({
      names: ['RBC', 'WBC'],
      ofLabels: [0, -1, 1],
      ofColumns: [1, -1, 0],
      unknown: ['New'],
    });
    expect(ofCommonClasses([box(0), box(1), box(2)], match.ofLabels).map((each) => each.classIndex)).toEqual([
      0, 1,
    ]);
    // The last column is beyond those that the labels use.
    const columns = [found(0), found(1), found(2), found(3)];
    expect(ofCommonClasses(columns, match.ofColumns).map((each) => each.classIndex)).toEqual([1, 0]);
  });
});

describe('an evaluation’s event', () => {
  const classes = ['RBC', 'WBC'];
  const truth = [[box(0), box(0, true)], []];
  const detections = [[found(0), found(1)], [found(1)]];

  it('holds every figure and what they are of, and passes the log’s schema', () => {
    const metrics = evaluateDetections(truth, detections, classes);
    const counts = countAll(truth, detections, classes);
    const event = evaluationEvent(7, 'val', { metrics, counts });
    expect(event).toMatchObject({
      ...{ event: 'evaluation', step: 7, split: 'val', images: 2, boxes: { RBC: 1, WBC: 0 }, detections: 3 },
      ...{ AP50: metrics.AP50, APs: null, perClass: { RBC: metrics.perClass.RBC, WBC: null } },
    });
    expect(runEventSchema.parse(event)).toEqual(event);
  });

  it('of an earlier version is still read', () => {
    const old = { event: 'evaluation', step: 7, AP: 0.1, AP50: null, perClass: { RBC: 0.1 }, images: 2 };
    expect(runEventSchema.parse(old)).toEqual(old);
  });
});

it('evaluates a part of many images from all over the set', () => {
  expect(evenlySpaced([0, 1, 2, 3, 4, 5], 3)).toEqual([0, 2, 4]);
  expect(evenlySpaced([0, 1], 3)).toEqual([0, 1]);
  expect(evenlySpaced([0, 1], 0)).toEqual([0, 1]);
});
