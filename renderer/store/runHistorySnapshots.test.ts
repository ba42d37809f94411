import { describe, expect, it } from 'vitest';
import { emptyHistogram } from '../../shared/loss/histogramOps.ts';
import { encodeHistogram } from '../../shared/loss/histogramText.ts';
import type { StatisticsEvent } from '../../shared/training/events.ts';
import {
  addSnapshot,
  histogramOf,
  maxSnapshots,
  maxSnapshotText,
  nearestSnapshot,
  noSnapshots,
  snapshotsUpTo,
} from './runHistorySnapshots.ts';

const told = (step: number, histogram = 'text', steps = 10): StatisticsEvent => ({
  event: 'statistics',
  step,
  steps,
  scale: 1,
  histogram,
  hardest: [],
});
const many = (count: number, histogram?: string) =>
  Array.from({ length: count }, (_, index) => told(10 * (index + 1), histogram)).reduce(
    addSnapshot,
    noSnapshots,
  );

describe('addSnapshot', () => {
  it('lets go of every other one where there are too many, evenly over the run, and keeps the newest', () => {
    const { held } = many(1000);
    expect(held.length).toBeLessThanOrEqual(maxSnapshots);
    expect(held.length).toBeGreaterThan(maxSnapshots / 2 - 1);
    expect(held.at(-1)!.step).toBe(10_000);
    const gaps = held.slice(1, -1).map(({ step }, index) => step - held[index]!.step);
    expect(new Set(gaps).size).toBe(1);
  });

  it('keeps fewer where each is long', () => {
    const long = 'x'.repeat(maxSnapshotText / 20);
    const { held } = many(200, long);
    expect(held.length).toBeLessThanOrEqual(20);
    expect(held.length).toBeGreaterThanOrEqual(10);
    expect(held.at(-1)!.step).toBe(2000);
  });

  it('goes on after a rewind', () => {
    const { held } = addSnapshot(snapshotsUpTo(many(40), 200), told(210));
    expect(held.map(({ step }) => step)).toEqual(Array.from({ length: 21 }, (_, index) => 10 * (index + 1)));
  });
});

describe('nearestSnapshot', () => {
  it('is the one that counted the step, else the nearest', () => {
    const snapshots = [told(10), told(20), told(60)].reduce(addSnapshot, noSnapshots);
    const at = (step: number | null) => nearestSnapshot(snapshots, step)?.step;
    expect([at(null), at(1), at(10), at(11), at(20), at(30), at(50), at(51), at(999)]).toEqual([
      60, 10, 10, 20, 20, 20, 60, 60, 60,
    ]);
    expect(nearestSnapshot(noSnapshots, 5)).toBeNull();
  });
});

describe('histogramOf', () => {
  it('decodes what is looked at once, and lets go of what was not looked at for long', () => {
    const texts = [1, 2, 3, 4].map((classes) => told(10, encodeHistogram(emptyHistogram(classes))));
    const first = histogramOf(texts[0]!);
    expect(first.foregroundClassCount).toBe(1);
    expect(histogramOf(texts[0]!)).toBe(first);
    for (const text of texts.slice(1)) histogramOf(text);
    expect(histogramOf(texts[0]!)).not.toBe(first);
    expect(histogramOf(texts[0]!)).toEqual(first);
  });
});
