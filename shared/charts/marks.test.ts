import fc from 'fast-check';
import { expect, it } from 'vitest';
import { markTextPx, type PlacedMark, placeMarks } from './marks.ts';
import { textWidthPx } from './words.ts';

const wordsOf = ({ label, labelLeftPx }: PlacedMark) => ({
  from: labelLeftPx,
  to: labelLeftPx + textWidthPx(label, markTextPx),
});

it('puts words beside their lines, to the left where there is no room to the right', () => {
  const { marks } = placeMarks(
    [
      { x: 10, label: 'γ 2 → 0' },
      { x: 290, label: 'γ 0 → 2' },
    ],
    (x) => x,
    300,
  );
  expect(marks[0]!.labelLeftPx).toBeGreaterThan(10);
  expect(wordsOf(marks[1]!).to).toBeLessThan(290);
  expect(marks.map(({ row }) => row)).toEqual([0, 0]);
});

it('lets no words lie on other words or on a line, and leaves none outside', () => {
  const mark = fc.record({
    x: fc.double({ min: -20, max: 420, noNaN: true }),
    label: fc.stringMatching(/^[a-z0-9 ]{0,24}$/),
  });
  fc.assert(
    fc.property(fc.array(mark, { maxLength: 30 }), (given) => {
      const { marks, rows } = placeMarks(given, (x) => x, 400);
      const spoken = marks.filter(({ label }) => label !== '');
      for (const one of spoken) {
        const words = wordsOf(one);
        expect(words.from).toBeGreaterThanOrEqual(0);
        expect(words.to).toBeLessThanOrEqual(400);
        expect(one.row).toBeLessThan(rows);
        for (const other of spoken) {
          if (other === one) continue;
          const beside = wordsOf(other);
          if (other.row === one.row) expect(words.to <= beside.from || beside.to <= words.from).toBe(true);
          // The line of a mark in a row above comes down through the rows below it.
          if (other.row <= one.row) expect(other.xPx <= words.from || other.xPx >= words.to).toBe(true);
        }
      }
    }),
  );
});

it('keeps the line of a mark whose words find no room', () => {
  const crowd = Array.from({ length: 9 }, (_, k) => ({ x: 100 + k, label: 'learning rate 0.01' }));
  const { marks } = placeMarks(crowd, (x) => x, 300);
  expect(marks).toHaveLength(9);
  expect(marks.filter(({ label }) => label !== '').length).toBeLessThanOrEqual(3);
});
