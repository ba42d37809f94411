import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildAnchorGrid } from './anchorGrid.ts';
import { GridMatcher } from './gridMatcher.ts';
import { applyIgnoreBoxes, matchAnchors, matchIgnored } from './matcher.ts';
import { pyramidSizes } from './network.ts';

/** A frame with its own kind of anchors: torchvision's, detectron2's unrounded ones, some much smaller than the grid is wide. */
const frames = [
  { height: 128, width: 160, config: {} },
  { height: 96, width: 224, config: { roundAnchors: false, aspectRatios: [0.3, 1, 3.1] } },
  { height: 64, width: 64, config: { anchorSizes: [[3], [7.5]], aspectRatios: [1] } },
  { height: 100, width: 130, config: { anchorSizes: [[16, 20, 25]] } },
];

describe('GridMatcher', () => {
  it.each(frames)('agrees with matchAnchors and applyIgnoreBoxes: %o', ({ height, width, config }) => {
    const grid = buildAnchorGrid(height, width, pyramidSizes(height, width), config);
    const matcher = new GridMatcher(grid);
    const matches = new Int32Array(grid.anchors.length / 4);
    const box = fc.oneof(
      fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: -20, max: 240 }))).map(sides),
      fc.tuple(...[0, 1, 2, 3].map(() => fc.double({ min: -5, max: 40, noNaN: true }))).map(sides),
      fc
        .nat({ max: matches.length - 1 })
        .map((anchor) => [...grid.anchors.subarray(anchor * 4, anchor * 4 + 4)]),
      fc.tuple(...[0, 1, 2, 3].map(() => fc.float())),
    );
    fc.assert(
      fc.property(fc.array(box, { maxLength: 8 }), fc.array(box, { maxLength: 2 }), (truths, regions) => {
        const groundTruth = Float32Array.from(truths.flat());
        const ignoreBoxes = Float32Array.from(regions.flat());
        matcher.match(groundTruth, ignoreBoxes, matches);
        const theirs = applyIgnoreBoxes(matchAnchors(grid.anchors, groundTruth), grid.anchors, ignoreBoxes);
        expect(Buffer.compare(Buffer.from(matches.buffer), Buffer.from(theirs.buffer))).toBe(0);
      }),
      { numRuns: 150 },
    );
    matcher.match(new Float32Array(), Float32Array.of(0, 0, width, height), matches);
    expect(matches[0]).toBe(matchIgnored);
  });
});

const sides = ([x, y, w, h]: number[]) => [x!, y!, x! + Math.abs(w!) / 2, y! + Math.abs(h!) / 2];
