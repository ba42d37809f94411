import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromCorners } from '../../../shared/domain/box.ts';
import { testBox } from '../../store/testing/memoryHost.ts';
import { indexBoxes, nextInStack } from './boxIndex.ts';

const large = testBox('large', 'a', { boxPx: [0, 0, 100, 100] });
const middle = testBox('middle', 'a', { boxPx: [20, 20, 80, 80] });
const small = testBox('small', 'a', { boxPx: [40, 40, 60, 60] });

describe('the box index', () => {
  it('answers the boxes under a point, smallest first', () => {
    const index = indexBoxes([large, small, middle]);
    expect(index.at(50, 50, 0).map(({ id }) => id)).toEqual(['small', 'middle', 'large']);
    expect(index.at(30, 30, 0).map(({ id }) => id)).toEqual(['middle', 'large']);
    expect(index.at(200, 200, 0)).toEqual([]);
  });

  it('knows nothing of an image without boxes', () => {
    expect(indexBoxes([]).at(0, 0, 5)).toEqual([]);
  });

  it('finds what a look at every box finds, in drawing order', () => {
    const coordinate = fc.integer({ min: 0, max: 500 });
    const corners = fc.tuple(coordinate, coordinate, coordinate, coordinate);
    fc.assert(
      fc.property(fc.array(corners, { maxLength: 60 }), corners, (all, part) => {
        const boxes = all.map((c, i) => testBox(String(i), 'a', { boxPx: fromCorners(...c) }));
        const [x1, y1, x2, y2] = fromCorners(...part);
        const expected = boxes.filter(({ boxPx: b }) => b[0] <= x2 && b[2] >= x1 && b[1] <= y2 && b[3] >= y1);
        expect(indexBoxes(boxes).within([x1, y1, x2, y2])).toEqual(expected);
      }),
    );
  });
});

describe('clicking a stack', () => {
  const stack = [small, middle, large];

  it('takes the smallest first, then the next larger, then begins again', () => {
    expect(nextInStack(stack, null)).toBe(small);
    expect(nextInStack(stack, 'small')).toBe(middle);
    expect(nextInStack(stack, 'large')).toBe(small);
    expect(nextInStack(stack, 'elsewhere')).toBe(small);
  });

  it('takes nothing where nothing lies', () => {
    expect(nextInStack([], 'small')).toBeNull();
  });
});
