import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { units } from '../../test/support/fixtures.ts';
import {
  anchorCounts,
  anchorSizesOf,
  anchorsPerPosition,
  buildAnchors,
  cellAnchors,
  defaultAnchorSizes,
} from './anchors.ts';

const pyramid = (heightPx: number, widthPx: number) =>
  [8, 16, 32, 64, 128].map((stride) => ({
    height: Math.ceil(heightPx / stride),
    width: Math.ceil(widthPx / stride),
  }));

describe('cell anchors', () => {
  it("are torchvision's on all five levels", () => {
    for (let level = 0; level < 5; level++) {
      expect([...cellAnchors(defaultAnchorSizes(level))]).toEqual(units.cell_anchors[level]);
    }
  });

  it('round half extents to even: 101, 161 and 203 at ratio 1 become 50, 80 and 102', () => {
    expect([101, 161, 203].map((size) => cellAnchors([size], [1])[2])).toEqual([50, 80, 102]);
  });
});

describe('unrounded cell anchors', () => {
  const ratios = [0.5, 1, 2, 0.37];
  const octave = Array.from({ length: 5 }, (_, level) =>
    [0, 1, 2].map((step) => 32 * 2 ** (level + step / 3)),
  );

  it.each(octave)('are half of size / sqrt(ratio) and size * sqrt(ratio): from %f', (...sizes) => {
    const expected = ratios.flatMap((ratio) =>
      sizes.flatMap((size) => {
        const [halfWidth, halfHeight] = [size / Math.sqrt(ratio) / 2, (size * Math.sqrt(ratio)) / 2];
        return [-halfWidth, -halfHeight, halfWidth, halfHeight];
      }),
    );
    const ours = cellAnchors(sizes, ratios, false);
    expect(ours.length).toBe(expected.length);
    ours.forEach((value, i) => {
      expect(Math.abs(value / expected[i]! - 1)).toBeLessThan(3e-7);
    });
  });

  it('are placed as they are', () => {
    const config = { anchorSizes: [[33]], aspectRatios: [1], roundAnchors: false };
    const anchors = buildAnchors(16, 16, [{ height: 2, width: 2 }], config);
    expect([...anchors.subarray(4, 8)]).toEqual([8 - 16.5, -16.5, 8 + 16.5, 16.5]);
    const rounded = buildAnchors(16, 16, [{ height: 2, width: 2 }], { ...config, roundAnchors: true });
    expect([...rounded.subarray(4, 8)]).toEqual([-8, -16, 24, 16]);
  });
});

describe('anchor sizes', () => {
  it("are the paper's three octave steps, truncated", () => {
    expect([0, 1, 2, 3, 4].map(defaultAnchorSizes)).toEqual([
      [32, 40, 50],
      [64, 80, 101],
      [128, 161, 203],
      [256, 322, 406],
      [512, 645, 812],
    ]);
  });

  it('follow a config and double beyond its last level', () => {
    const config = { anchorSizes: [[8, 12], [20]], aspectRatios: [1, 2] };
    expect([0, 1, 2, 3].map((level) => anchorSizesOf(level, config))).toEqual([[8, 12], [20], [40], [80]]);
    expect(anchorsPerPosition(config)).toBe(4);
    expect(anchorsPerPosition()).toBe(9);
  });
});

describe('buildAnchors', () => {
  it.each(units.anchors)('is torchvision for a frame of $padded_hw', (expected) => {
    const [height, width] = expected.padded_hw as [number, number];
    const features = expected.feature_hw.map(([h, w]) => ({ height: h!, width: w! }));
    const anchors = buildAnchors(height, width, features);
    expect(anchors.length / 4).toBe(expected.count);
    expect(anchors.reduce((sum, value) => sum + Math.abs(value), 0)).toBe(expected.abs_sum);
    const probe: number[] = [];
    for (let anchor = 0; anchor < expected.count; anchor += expected.probe_stride) {
      probe.push(...anchors.subarray(anchor * 4, anchor * 4 + 4));
    }
    expect(probe).toEqual(expected.probe);
  });

  it('gives the counts of the usual frames', () => {
    const total = (height: number, width: number) =>
      anchorCounts(pyramid(height, width)).reduce((sum, count) => sum + count, 0);
    expect([total(512, 512), total(640, 640), total(800, 1344)]).toEqual([49104, 76725, 201600]);
  });

  it('strides by floor(padded / feature) per axis: 61 and 64 on P6 of 800 x 1344', () => {
    const features = pyramid(800, 1344);
    const counts = anchorCounts(features);
    const anchors = buildAnchors(800, 1344, features);
    const p6 = (counts[0]! + counts[1]! + counts[2]!) * 4;
    const rowLength = features[3]!.width * 9 * 4;
    expect(anchors[p6 + 9 * 4]! - anchors[p6]!).toBe(64);
    expect(anchors[p6 + rowLength + 1]! - anchors[p6 + 1]!).toBe(61);
  });

  it('refuses levels of different counts: the heads are shared', () => {
    const features = [
      { height: 2, width: 2 },
      { height: 1, width: 1 },
    ];
    const config = { anchorSizes: [[8, 12], [20]], aspectRatios: [1] };
    expect(() => buildAnchors(16, 16, features, config)).toThrow(
      'level 1 has 1 anchors a position, level 0 has 2',
    );
  });

  it('takes any number of levels and sizes, and agrees with its counts', () => {
    const level = fc.record({
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 1, max: 9 }),
    });
    const sizes = fc.array(fc.array(fc.integer({ min: 4, max: 300 }), { minLength: 2, maxLength: 2 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(level, { minLength: 1, maxLength: 6 }), sizes, (features, anchorSizes) => {
        const config = { anchorSizes, aspectRatios: [0.5, 1, 2] };
        const anchors = buildAnchors(96, 64, features, config);
        expect(anchors.length / 4).toBe(anchorCounts(features, config).reduce((a, b) => a + b, 0));
        for (let p = 0; p < anchors.length; p += 4) {
          expect(anchors[p + 2]! > anchors[p]! && anchors[p + 3]! > anchors[p + 1]!).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});
