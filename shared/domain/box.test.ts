import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaPx, clipToImage, fromCorners, heightPx, widthPx } from './box.ts';
import { classPalette, paletteColor } from './classes.ts';
import { isReviewed, reviewedStateFor } from './image.ts';
import { Problem, toProblemData } from './problem.ts';

describe('boxes', () => {
  const number = fc.integer({ min: -50, max: 150 });

  it('are the same from any two opposite corners', () => {
    fc.assert(
      fc.property(number, number, number, number, (ax, ay, bx, by) => {
        const box = fromCorners(ax, ay, bx, by);
        expect(fromCorners(bx, ay, ax, by)).toEqual(box);
        expect([widthPx(box), heightPx(box)]).toEqual([Math.abs(ax - bx), Math.abs(ay - by)]);
      }),
    );
  });

  it('clip to the part inside the image, and stay there', () => {
    fc.assert(
      fc.property(number, number, number, number, (ax, ay, bx, by) => {
        const box = fromCorners(ax, ay, bx, by);
        const clipped = clipToImage(box, 100, 60);
        expect(clipToImage(clipped, 100, 60)).toEqual(clipped);
        const inside = Math.max(0, Math.min(box[2], 100) - Math.max(box[0], 0));
        expect(widthPx(clipped)).toBe(inside);
        expect(areaPx(clipped)).toBeLessThanOrEqual(areaPx(box));
      }),
    );
  });

  it('have no area where a side is turned around', () => {
    expect(areaPx([0, 0, 1, 1])).toBe(1);
    expect(areaPx([5, 0, 1, 4])).toBe(0);
  });
});

describe('image states', () => {
  it('say there is nothing only where a person has said so', () => {
    expect([reviewedStateFor(0), reviewedStateFor(3)]).toEqual(['reviewed-empty', 'reviewed']);
    expect((['unlabelled', 'in-progress', 'reviewed', 'reviewed-empty'] as const).map(isReviewed)).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

describe('class colours', () => {
  it('are all different, then start again', () => {
    expect(new Set(classPalette).size).toBe(classPalette.length);
    expect(paletteColor(classPalette.length + 1)).toBe(paletteColor(1));
  });
});

describe('problems', () => {
  it('cross a process as data with nothing lost', () => {
    const problem = new Problem('disk-full', 'The disk is full.', 'Free some space.', 'ENOSPC');
    expect(JSON.parse(JSON.stringify(toProblemData(problem)))).toEqual({
      kind: 'disk-full',
      message: 'The disk is full.',
      remedy: 'Free some space.',
      detail: 'ENOSPC',
    });
  });

  it('keep the text of what nobody expected', () => {
    const data = toProblemData(new TypeError('x is not a function'));
    expect(data.kind).toBe('internal');
    expect(data.message).toContain('x is not a function');
    expect(data.detail).toContain('TypeError');
    expect(toProblemData('plain text').detail).toBe('plain text');
  });
});
