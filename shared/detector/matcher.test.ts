import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { units } from '../../test/support/fixtures.ts';
import { boxIou } from './iou.ts';
import { applyIgnoreBoxes, countPositives, matchAnchors, matchBackground, matchIgnored } from './matcher.ts';

const boxes = (...rows: number[][]) => Float32Array.from(rows.flat());

describe('boxIou', () => {
  it("is torchvision's for the first ground truth", () => {
    const groundTruth = Float32Array.from(units.matcher.gt);
    const anchors = Float32Array.from(units.matcher.anchors);
    units.matcher.iou_first_row.forEach((expected, anchor) => {
      expect(boxIou(groundTruth, 0, anchors, anchor)).toBeCloseTo(expected, 6);
    });
  });
});

describe('matchAnchors', () => {
  it("gives torchvision's 160 matches", () => {
    const { anchors, gt, matched } = units.matcher;
    expect([...matchAnchors(Float32Array.from(anchors), Float32Array.from(gt))]).toEqual(matched);
  });

  it('is background everywhere without ground truth', () => {
    const anchors = boxes([0, 0, 10, 10], [5, 5, 20, 20]);
    expect([...matchAnchors(anchors, new Float32Array(0))]).toEqual([matchBackground, matchBackground]);
  });

  it('takes .5 as foreground, below .4 as background and ignores what is between', () => {
    const anchors = boxes([0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 4.5], [0, 0, 10, 3.9], [50, 50, 60, 60]);
    expect([...matchAnchors(anchors, boxes([0, 0, 10, 10]))]).toEqual([
      0,
      0,
      matchIgnored,
      matchBackground,
      matchBackground,
    ]);
  });

  it('gives an anchor that ties a best IoU its own best ground truth', () => {
    // Ground truth 1 overlaps only the anchor that belongs to ground truth 0.
    const anchors = boxes([0, 0, 10, 10], [100, 100, 110, 110]);
    const groundTruth = boxes([0, 0, 10, 10], [9, 9, 12, 12]);
    expect([...matchAnchors(anchors, groundTruth)]).toEqual([0, matchBackground]);
  });

  it('gives every ground truth that touches an anchor its best anchors, all of a tie', () => {
    const anchors = boxes([0, 0, 10, 10], [10, 0, 20, 10], [0, 30, 10, 40]);
    expect([...matchAnchors(anchors, boxes([8, 2, 12, 4]))]).toEqual([0, 0, matchBackground]);
  });

  it('passes over a ground truth that overlaps no anchor instead of turning all of them foreground', () => {
    const anchors = boxes([0, 0, 10, 10], [20, 20, 30, 30]);
    const groundTruth = boxes([500, 500, 501, 501], [0, 0, 10, 10]);
    expect([...matchAnchors(anchors, groundTruth)]).toEqual([1, matchBackground]);
  });

  it('agrees with the definition on random boxes', () => {
    const box = fc
      .tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 12 })))
      .map(([x, y, w, h]) => [x!, y!, x! + 1 + w!, y! + 1 + h!]);
    fc.assert(
      fc.property(
        fc.array(box, { minLength: 1, maxLength: 12 }),
        fc.array(box, { maxLength: 5 }),
        (anchorRows, truthRows) => {
          const anchors = boxes(...anchorRows);
          const groundTruth = boxes(...truthRows);
          expect([...matchAnchors(anchors, groundTruth)]).toEqual(matchByDefinition(anchors, groundTruth));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('applyIgnoreBoxes', () => {
  it('ignores background anchors centred in a region and leaves matched ones', () => {
    const anchors = boxes([0, 0, 10, 10], [2, 2, 8, 8], [40, 40, 60, 60], [5, 5, 25, 25]);
    const matches = Int32Array.of(0, matchBackground, matchBackground, matchBackground);
    applyIgnoreBoxes(matches, anchors, boxes([0, 0, 12, 12]));
    expect([...matches]).toEqual([0, matchIgnored, matchBackground, matchBackground]);
    expect(countPositives(matches)).toBe(1);
  });

  it('covers every anchor that lies more than half inside a region', () => {
    const side = fc.integer({ min: 1, max: 20 });
    const box = fc.tuple(side, side, side, side).map(([x, y, w, h]) => [x, y, x + w, y + h]);
    fc.assert(
      fc.property(box, box, (anchor, region) => {
        const anchors = boxes(anchor);
        const inside =
          Math.max(0, Math.min(anchor[2]!, region[2]!) - Math.max(anchor[0]!, region[0]!)) *
          Math.max(0, Math.min(anchor[3]!, region[3]!) - Math.max(anchor[1]!, region[1]!));
        const area = (anchor[2]! - anchor[0]!) * (anchor[3]! - anchor[1]!);
        fc.pre(inside / area > 0.5);
        expect(applyIgnoreBoxes(Int32Array.of(matchBackground), anchors, boxes(region))[0]).toBe(
          matchIgnored,
        );
      }),
    );
  });
});

/** torchvision's Matcher written down as its rules, with the whole IoU matrix. */
function matchByDefinition(anchors: Float32Array, groundTruth: Float32Array): number[] {
  const truths = Array.from({ length: groundTruth.length / 4 }, (_, index) => index);
  const all = Array.from({ length: anchors.length / 4 }, (_, index) => index);
  const iou = truths.map((truth) => all.map((anchor) => boxIou(groundTruth, truth, anchors, anchor)));
  const best = iou.map((row) => Math.max(...row));
  return all.map((anchor) => {
    const column = truths.map((truth) => iou[truth]![anchor]!);
    const top = Math.max(0, ...column);
    const argmax = column.indexOf(top);
    const forced = truths.some((truth) => best[truth]! > 0 && column[truth] === best[truth]);
    if (forced || top >= 0.5) return argmax;
    return top < Math.fround(0.4) ? matchBackground : matchIgnored;
  });
}
