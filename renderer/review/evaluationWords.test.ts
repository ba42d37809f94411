import { describe, expect, it } from 'vitest';
import { figureNames } from '../../shared/evaluation/coco.ts';
import type { EvaluationEnd } from '../store/evaluation.ts';
import {
  caps,
  countsText,
  endedTexts,
  evaluationLabel,
  hindrance,
  placements,
  sizes,
} from './evaluationWords.ts';

const event = { event: 'evaluation', step: 1200, AP: 0.1, AP50: 0.2, perClass: {}, images: 20 } as const;

describe('an evaluation in words', () => {
  it('has a place for every one of COCO’s figures', () => {
    const shown = [
      ...placements.map(({ name }) => name),
      ...sizes.flatMap(({ AP, AR }) => [AP, AR]),
      ...caps.map(({ name }) => name),
    ];
    expect(shown.sort()).toEqual([...figureNames].sort());
  });

  it('says of what it is', () => {
    expect(evaluationLabel(event)).toBe('Step 1,200, 20 validation images, in training');
    expect(evaluationLabel({ ...event, images: 1, split: 'reviewed', onDemand: true })).toBe(
      'Step 1,200, 1 reviewed image',
    );
    expect(countsText(event)).toBeNull();
    expect(countsText({ ...event, boxes: { RBC: 1200, WBC: 4 }, detections: 1 })).toBe(
      '1,204 boxes to find, 1 detection',
    );
  });

  it('says how it ended, and nothing where the figures say it', () => {
    const problem = {
      kind: 'damaged',
      message: 'a.jpg is torn.',
      remedy: 'Copy it again.',
      detail: '',
    } as const;
    const ended: EvaluationEnd = {
      ...{ runId: 'r', split: 'val', step: 5, phase: 'saving', done: 3, total: 20, outcome: 'done' },
      ...{ leftOut: [], unknown: [], problem: null },
    };
    expect(endedTexts(ended)).toEqual([]);
    expect(endedTexts({ ...ended, outcome: 'cancelled' })).toEqual(['Cancelled after 3 of 20.']);
    expect(endedTexts({ ...ended, outcome: 'failed', problem })).toEqual(['a.jpg is torn. Copy it again.']);
    const leftOut = ['a.jpg', 'b.jpg'].map((name) => ({ name, problem }));
    expect(endedTexts({ ...ended, leftOut, unknown: ['WBC'] })).toEqual([
      'Not counted: a.jpg and 1 more. a.jpg is torn.',
      'Not measured: WBC, which this run did not learn.',
    ]);
  });

  it('says why it cannot begin', () => {
    const free = { images: 5, split: 'val', training: null, isPredicting: false } as const;
    expect(hindrance(free)).toBeNull();
    expect(hindrance({ ...free, images: 0 })).toContain('set aside for validation');
    expect(hindrance({ ...free, images: 0, split: 'reviewed' })).toContain('No image is reviewed');
    expect(hindrance({ ...free, training: 'Run 3' })).toContain('Run 3 is training');
    expect(hindrance({ ...free, isPredicting: true })).toContain('proposed');
  });
});
