import { describe, expect, it } from 'vitest';
import type { BoxPx } from '../domain/box.ts';
import { uniformAt } from '../domain/random.ts';
import { buildAnchors } from './anchors.ts';
import { coverImage, frameCost, type LabelledImage } from './coverage.ts';
import { boxIou } from './iou.ts';
import { matchAnchors } from './matcher.ts';
import { defaultNetworkOptions, pyramidSizes, withAnchorScale } from './network.ts';

const side = 128;
const network = defaultNetworkOptions('nano', 2);
const settings = { network, minSizePx: side, maxSizePx: side };
const anchors = buildAnchors(side, side, pyramidSizes(side, side), network);

function imageOf(boxes: readonly BoxPx[], sidePx = side): LabelledImage {
  return {
    id: 'a',
    widthPx: sidePx,
    heightPx: sidePx,
    boxes: boxes.map((boxPx) => ({ boxPx, classIndex: 0, ignore: false })),
  };
}

describe('coverImage', () => {
  it('finds that a box that is an anchor fits, on the level of that anchor', () => {
    const [box] = coverImage(imageOf([[56, 56, 72, 72]]), settings);
    expect(box).toMatchObject({ fit: 'fitted', bestIou: 1, widthPx: 16, heightPx: 16 });
    expect(box!.positives[0]).toBeGreaterThan(0);
    expect(box!.positives.slice(1)).toEqual([0, 0, 0, 0]);
  });

  it('counts what the matcher assigns and finds the best overlap of all anchors, whatever the boxes', () => {
    const boxes = Array.from({ length: 40 }, (_, index): BoxPx => {
      const at = (part: number) => uniformAt(7, index * 4 + part);
      const [x, y] = [at(0) * 110, at(1) * 110];
      return [x, y, Math.min(128, x + 2 + at(2) * 60), Math.min(128, y + 2 + at(3) * 60)];
    });
    const covered = coverImage(imageOf(boxes), settings);
    const truth = Float32Array.from(boxes.flat());
    const matches = matchAnchors(anchors, truth);
    covered.forEach((box, index) => {
      let best = 0;
      for (let anchor = 0; anchor < matches.length; anchor++) {
        best = Math.max(best, boxIou(anchors, anchor, truth, index));
      }
      const matched = matches.filter((match) => match === index).length;
      expect(box.bestIou).toBe(best);
      expect(box.positives.reduce((sum, count) => sum + count, 0)).toBe(matched);
      expect(box.fit).toBe(matched === 0 ? 'unanswered' : best >= 0.5 ? 'fitted' : 'forced');
    });
    expect(new Set(covered.map(({ fit }) => fit))).toEqual(new Set(['fitted', 'forced', 'unanswered']));
  });

  it('says that a small box lives on forced matches, and that smaller anchors or a larger side fit it', () => {
    const image = imageOf([[60, 60, 67, 67]]);
    expect(coverImage(image, settings)[0]).toMatchObject({ fit: 'forced' });
    const smaller = { ...settings, network: withAnchorScale(network, 0.5) };
    const larger = { ...settings, minSizePx: 2 * side, maxSizePx: 2 * side };
    for (const other of [smaller, larger]) expect(coverImage(image, other)[0]!.fit).toBe('fitted');
  });

  it('says that no anchor answers where another box took them all', () => {
    const twice = coverImage(
      imageOf([
        [56, 56, 72, 72],
        [56, 56, 72, 72],
      ]),
      settings,
    );
    expect(twice.map(({ fit }) => fit)).toEqual(['fitted', 'unanswered']);
    expect(twice[1]!.bestIou).toBe(1);
  });

  it('measures boxes at the size of training, leaves out regions to ignore, and names what is under a pixel', () => {
    const image: LabelledImage = {
      ...imageOf([], 1280),
      boxes: [
        { boxPx: [560, 560, 720, 720], classIndex: 1, ignore: false },
        { boxPx: [0, 0, 300, 300], classIndex: 0, ignore: true },
        { boxPx: [100, 100, 109, 300], classIndex: 0, ignore: false },
        { boxPx: [1270, 1270, 1400, 1290], classIndex: 0, ignore: false },
      ],
    };
    const boxes = coverImage(image, settings);
    expect(boxes.map(({ fit }) => fit)).toEqual(['fitted', 'too-small', 'forced']);
    expect(boxes[0]).toMatchObject({ classIndex: 1, widthPx: 16, bestIou: 1 });
    // Clipped to the image, and a pixel wide and high there.
    expect(boxes[2]).toMatchObject({ boxPx: [1270, 1270, 1280, 1280], widthPx: 1 });
  });

  it('has nothing to say of an image without boxes', () => {
    expect(coverImage(imageOf([]), settings)).toEqual([]);
  });
});

it('knows what a frame costs: pixels and anchors four times as many at twice the side', () => {
  const image = { widthPx: 640, heightPx: 480 };
  const small = frameCost(image, settings);
  const large = frameCost(image, { ...settings, minSizePx: 2 * side, maxSizePx: 2 * side });
  expect(small.pixels).toBe(128 * 96);
  expect(large.pixels).toBe(4 * small.pixels);
  expect(large.anchors / small.anchors).toBeCloseTo(4, 0);
});
