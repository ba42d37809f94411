import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { units } from '../../test/support/fixtures.ts';
import { decodeBoxes, encodeBoxes, encodeMatched, maxLogRatio } from './boxCoder.ts';

const { box_coder: fixture } = units;
const proposals = Float32Array.from(fixture.proposals);

function expectClose(actual: Float32Array, expected: readonly number[], relative: number): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs(actual[index]! - value)).toBeLessThanOrEqual(relative * Math.max(1, Math.abs(value)));
  });
}

describe('box coder', () => {
  it("encodes as torchvision's", () => {
    expectClose(encodeBoxes(Float32Array.from(fixture.reference), proposals), fixture.encoded, 1e-5);
  });

  it("decodes as torchvision's, clamp included", () => {
    expect(Math.max(...fixture.deltas)).toBeGreaterThan(maxLogRatio);
    expectClose(decodeBoxes(Float32Array.from(fixture.deltas), proposals), fixture.decoded, 1e-5);
  });

  it('clamps log ratios at ln(1000 / 16)', () => {
    expect(maxLogRatio).toBe(4.135166556742356);
    const [x1, , x2] = decodeBoxes(Float32Array.of(0, 0, 90, 0), Float32Array.of(0, 0, 16, 16));
    expect(x2! - x1!).toBeCloseTo(1000, 2);
  });

  it('decodes what it encoded', () => {
    const side = fc.float({ min: 1, max: 400, noNaN: true });
    const box = fc.tuple(side, side, side, side).map(([x, y, w, h]) => [x, y, x + w, y + h]);
    fc.assert(
      fc.property(box, box, (box, anchor) => {
        const boxes = Float32Array.from(box);
        const anchors = Float32Array.from(anchor);
        const decoded = decodeBoxes(encodeBoxes(boxes, anchors), anchors);
        const ratio = Math.max((box[2]! - box[0]!) / (anchor[2]! - anchor[0]!), 1);
        fc.pre(ratio < 60 && (box[3]! - box[1]!) / (anchor[3]! - anchor[1]!) < 60);
        expectClose(decoded, [...boxes], 2e-4);
      }),
    );
  });

  it('gives regression targets to matched anchors only', () => {
    const truth = Float32Array.of(0, 0, 10, 10, 20, 20, 40, 60);
    const anchors = Float32Array.of(20, 20, 40, 60, 0, 0, 5, 5, 1, 1, 11, 11);
    const targets = encodeMatched(truth, anchors, Int32Array.of(1, -1, 0));
    expectClose(targets, [0, 0, 0, 0, 0, 0, 0, 0, -0.1, -0.1, 0, 0], 1e-6);
  });
});
