import { describe, expect, it } from 'vitest';
import { courseChart } from '../../../shared/charts/figures/course.ts';
import { layoutChart } from '../../../shared/charts/layout.ts';
import { cardsOf, crosshairAt, crosshairText, linesAt, moveCrosshair } from './crosshair.ts';

const steps = Array.from({ length: 1000 }, (_, k) => k + 1);
const chart = courseChart({
  question: 'Which learns fastest?',
  lastStep: 1000,
  panels: [
    {
      title: 'Loss',
      label: 'loss',
      lines: [{ name: 'focal', points: steps.map((step) => [step, 1 / step]) }],
    },
    {
      title: 'AP50',
      label: 'AP50',
      format: 'percent',
      lines: [
        {
          name: 'focal',
          points: [
            [500, 0.4],
            [1000, 0.6],
          ],
        },
      ],
    },
  ],
});
const layout = layoutChart(chart, { widthPx: 900, theme: 'light', alone: false });
const [loss] = layout.panels;

describe('the crosshair', () => {
  it('stands at the point nearest to the pointer, and nowhere beside the plots', () => {
    const { x, y, width, height } = loss!.plot;
    expect(crosshairAt(layout, x + width / 2, y + height / 2)).toMatchObject({ panel: 0, x: 500 });
    expect(crosshairAt(layout, x + width + 8, y + 5)).toMatchObject({ panel: 0, x: 1000 });
    expect(crosshairAt(layout, x + width / 2, y + height + 200)).toBeNull();
  });

  it('moves by keys, in small and large steps, to the very next point, to the ends and not beyond', () => {
    const at = (x: number) => ({ panel: 0, x, pointerY: null });
    const moved = (x: number, key: string, fine = false) => moveCrosshair(layout, at(x), key, fine)?.x;
    expect(moveCrosshair(layout, null, 'ArrowRight', false)?.x).toBe(1);
    expect(moved(500, 'ArrowRight')).toBe(505);
    expect(moved(500, 'ArrowLeft', true)).toBe(499);
    expect(moved(500, 'PageUp')).toBe(600);
    expect(moved(1000, 'ArrowRight')).toBe(1000);
    expect([moved(500, 'Home'), moved(500, 'End')]).toEqual([1, 1000]);
    expect(moved(500, 'Tab')).toBeUndefined();
  });

  it('reads all panels that share its axis', () => {
    const crosshair = { panel: 0, x: 500, pointerY: null };
    expect(crosshairText(layout, crosshair)).toBe('step 500. Loss: focal 0.002. AP50: focal 40%.');
    expect(linesAt(layout, 500, 0).match(/M/g)).toHaveLength(2);
    const cards = cardsOf(layout, crosshair);
    expect(cards.map(({ title }) => title)).toEqual(['step 500', 'step 500']);
    for (const card of cards) {
      expect(card.leftPx).toBeGreaterThanOrEqual(0);
      expect(card.leftPx + card.widthPx).toBeLessThanOrEqual(900);
    }
  });

  it('names of many series those nearest to the pointer, and counts the rest', () => {
    const lines = Array.from({ length: 20 }, (_, k) => ({
      name: `c${k}`,
      points: [
        [1, k],
        [2, k],
      ] as [number, number][],
    }));
    const many = layoutChart(courseChart({ question: '', panels: [{ title: '', label: 'loss', lines }] }), {
      widthPx: 600,
      theme: 'light',
      alone: false,
    });
    const { plot } = many.panels[0]!;
    const [card] = cardsOf(many, { panel: 0, x: 1, pointerY: plot.y });
    expect(card!.values.map(({ name }) => name)).toEqual([
      'c19',
      'c18',
      'c17',
      'c16',
      'c15',
      'c14',
      'c13',
      'c12',
    ]);
    expect(card!.more).toBe(12);
  });
});
