import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitView, keepInSight, minZoom, reveal, toImage, toStage, visiblePart, zoomAt } from './viewport.ts';

const stage = { width: 800, height: 600 };
const image = { width: 400, height: 200 };

describe('the viewport', () => {
  it('fits the whole image in the middle with a margin', () => {
    const view = fitView(stage, image);
    expect(view.zoom).toBeCloseTo(752 / 400);
    expect(toStage(view, { x: 200, y: 100 })).toEqual({ x: 400, y: 300 });
  });

  it('keeps the point under the pointer while zooming', () => {
    const number = fc.double({ min: -500, max: 500, noNaN: true });
    fc.assert(
      fc.property(number, number, fc.double({ min: 0.3, max: 3, noNaN: true }), (x, y, factor) => {
        const view = { zoom: 1.5, offsetX: 33, offsetY: -12 };
        const before = toImage(view, { x, y });
        const after = toImage(zoomAt(view, { x, y }, factor, 0.1), { x, y });
        expect(after.x).toBeCloseTo(before.x, 6);
        expect(after.y).toBeCloseTo(before.y, 6);
      }),
    );
  });

  it('keeps zoom between its ends', () => {
    const lowest = minZoom(stage, { width: 4000, height: 3000 });
    const view = { zoom: 1, offsetX: 0, offsetY: 0 };
    expect(zoomAt(view, { x: 0, y: 0 }, 1e9, lowest).zoom).toBe(40);
    expect(zoomAt(view, { x: 0, y: 0 }, 1e-9, lowest).zoom).toBe(lowest);
  });

  it('never lets the image leave the stage altogether', () => {
    const view = keepInSight({ zoom: 1, offsetX: 5000, offsetY: -5000 }, stage, image);
    const [x1, y1, x2, y2] = visiblePart(view, stage);
    expect(x2).toBeGreaterThan(0);
    expect(x1).toBeLessThan(image.width);
    expect(y1).toBeLessThan(image.height);
    expect(y2).toBeGreaterThan(0);
  });

  it('moves no further than needed to show a box', () => {
    const view = { zoom: 2, offsetX: 0, offsetY: 0 };
    expect(reveal(view, stage, [50, 50, 100, 100])).toEqual(view);
    expect(reveal(view, stage, [380, 50, 400, 100]).offsetX).toBe(800 - 24 - 800);
  });
});
