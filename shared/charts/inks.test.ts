import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ink } from './chart.ts';
import { contrast, dashOf, fillOf, paints, seriesInk, strokeOf, type Theme } from './inks.ts';

const themes: Theme[] = ['light', 'dark'];
const sides: Ink[] = ['foreground', 'backgroundTrue', 'backgroundOther', 'neutral'];
const competitors = Array.from({ length: 6 }, (_, k) => seriesInk(k));

it('knows black and white', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  expect(contrast('#ffffff', '#ffffff')).toBe(1);
});

describe.each(themes)('in the %s theme', (theme) => {
  it('can be read: text at 4.5 to 1, lines at 3 to 1', () => {
    const { surface, text, muted, cursor } = paints[theme];
    for (const color of [text, muted]) expect(contrast(color, surface)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(cursor, surface)).toBeGreaterThanOrEqual(3);
    for (const ink of [...sides, ...competitors])
      expect(contrast(strokeOf(ink, theme), surface)).toBeGreaterThanOrEqual(3);
  });

  it('draws a line of any class colour so that it is seen, and a bar in the colour itself', () => {
    const color = fc
      .integer({ min: 0, max: 0xffffff })
      .map((value): Ink => `#${value.toString(16).padStart(6, '0')}`);
    fc.assert(
      fc.property(color, (ink) => {
        expect(contrast(strokeOf(ink, theme), paints[theme].surface)).toBeGreaterThanOrEqual(3);
        expect(fillOf(ink, theme)).toBe(ink);
      }),
    );
  });

  it('tells six competitors apart, with colour and without', () => {
    expect(new Set(competitors.map((ink) => fillOf(ink, theme))).size).toBe(6);
    expect(new Set(competitors.map((ink) => dashOf({ ink }))).size).toBe(6);
    for (const ink of competitors)
      for (const side of sides) expect(fillOf(ink, theme)).not.toBe(fillOf(side, theme));
  });
});

it('lets nothing but a colour into a drawing', () => {
  expect(strokeOf('#"/><script>', 'light')).toMatch(/^#[0-9a-f]{6}$/);
});
