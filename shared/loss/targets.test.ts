import { describe, expect, it } from 'vitest';
import { GridMatcher } from '../detector/gridMatcher.ts';
import { buildRetinaNet, defaultNetworkOptions } from '../detector/network.ts';
import type { Batch, BatchTarget } from './executor.ts';
import { AnchorCache, matchBatch, prepareTargets } from './targets.ts';

const classCount = 3;
const cache = new AnchorCache(buildRetinaNet(defaultNetworkOptions('nano', classCount)));

function target(boxes: number[], classes: number[], ignoreBoxes: number[] = []): BatchTarget {
  return {
    imageId: 'a',
    heightPx: 64,
    widthPx: 96,
    originalHeightPx: 64,
    originalWidthPx: 96,
    boxes: Float32Array.from(boxes),
    classIndices: Int32Array.from(classes),
    ignoreBoxes: Float32Array.from(ignoreBoxes),
  };
}

describe('matchBatch', () => {
  it('matches and counts as prepareTargets does, in arrays that are used again', () => {
    const grid = cache.gridOf(64, 96);
    const matcher = new GridMatcher(grid);
    const into = [0, 1].map(() => new Int32Array(grid.anchors.length / 4));
    const crowded = target([4, 6, 24, 27, 30, 8, 47, 22, 40, 36, 80, 60], [0, 2, 0], [50, 0, 90, 30]);
    for (const targets of [
      [crowded, target([], [])],
      [target([9, 9, 50, 40], [1]), crowded],
    ]) {
      const ours = matchBatch(targets, matcher, classCount, into);
      const batch: Batch = {
        images: new Float32Array(),
        batch: 2,
        paddedHeight: 64,
        paddedWidth: 96,
        targets,
      };
      let positives: readonly number[] = [];
      const theirs = prepareTargets(batch, grid.anchors, classCount, 'l1', (counts) => {
        positives = counts;
        return counts;
      });
      const { classes, classWeights, boxWeights, boxes, ...matched } = theirs;
      expect(ours).toEqual({ ...matched, positivesPerImage: positives });
      expect(ours.positives).toBeGreaterThan(0);
      expect(ours.matches[0]).toBe(into[0]);
    }
  });
});

it('keeps the anchors of the sizes used last, not of every size that ever came', () => {
  const anchors = cache.of(64, 96);
  for (let side = 32; side <= 32 * 15; side += 32) cache.of(side, 32);
  expect(cache.of(64, 96)).toBe(anchors);
  for (let side = 32; side <= 32 * 16; side += 32) cache.of(side, 32);
  expect(cache.of(64, 96)).not.toBe(anchors);
  expect(cache.of(64, 96)).toEqual(anchors);
});
