import { describe, expect, it } from 'vitest';
import type { Panel, Series } from './chart.ts';
import { marksAt, nearestStop, placeText, readAt, stopsOf } from './readout.ts';

const panel = (series: Partial<Series>[], more: Partial<Panel> = {}): Panel => ({
  title: 'Loss',
  x: { label: 'step', scale: 'linear', format: 'integer' },
  y: { label: 'loss', scale: 'linear', format: 'number' },
  series: series.map((each, k) => ({ name: `s${k}`, ink: 'neutral', shape: 'line', points: [], ...each })),
  ...more,
});

describe('readAt', () => {
  it('reads a curve between its points, and says where a lone measurement was taken', () => {
    const read = readAt(
      panel([
        {
          points: [
            [0, 0],
            [10, 1],
          ],
        },
        {
          points: [
            [0, 5],
            [500, 7],
          ],
        },
      ]),
      5,
      1000,
    );
    expect(read.map(({ text }) => text)).toEqual(['0.5', '5']);
    expect(
      readAt(
        panel([
          {
            points: [
              [0, 5],
              [500, 7],
            ],
          },
        ]),
        300,
        1000,
      )[0]!.text,
    ).toBe('7 (at 500)');
  });

  it('has no value for a series without points, nor for a gap', () => {
    expect(readAt(panel([{}, { points: [[1, Number.NaN]] }]), 1, 10)).toEqual([]);
  });

  it('takes the nearest bar', () => {
    const bars = panel([
      {
        shape: 'bars',
        barWidth: 0.1,
        points: [
          [0.05, 3],
          [0.15, 8],
        ],
      },
    ]);
    expect(readAt({ ...bars, x: { ...bars.x, format: 'percent' } }, 0.15, 1)[0]!.text).toBe('8');
    expect(placeText({ ...bars, x: { label: 'p', scale: 'linear', format: 'percent' } }, 0.15)).toBe(
      'p 10% to 20%',
    );
  });
});

it('stops at every point once, or at the named places', () => {
  expect(
    stopsOf([
      panel([
        {
          points: [
            [3, 1],
            [1, 1],
          ],
        },
        {
          points: [
            [3, 2],
            [2, Number.NaN],
          ],
        },
      ]),
    ]),
  ).toEqual([1, 2, 3]);
  const named = panel([{ points: [[0.2, 1]] }], {
    x: { label: '', scale: 'linear', format: 'number', ticks: [{ at: 0, label: 'no prior' }] },
  });
  expect(stopsOf([named])).toEqual([0]);
  expect(placeText(named, 0.2)).toBe('no prior');
  expect([0, 1.4, 1.6, 9].map((x) => nearestStop([1, 2, 3], x))).toEqual([1, 1, 2, 3]);
  expect(nearestStop([], 1)).toBeNull();
});

it('tells the marks nearby', () => {
  expect(
    marksAt(
      panel([], {
        marks: [
          { x: 5, label: 'γ 2 → 0' },
          { x: 9, label: 'later' },
        ],
      }),
      6,
      1,
    ),
  ).toEqual(['γ 2 → 0']);
});
