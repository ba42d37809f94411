import { describe, expect, it } from 'vitest';
import { readFixture } from '../../test/support/fixtures.ts';
import { focalTerms } from './focal.ts';
import { type SelectionImage, selectAnchors } from './selection.ts';
import { lossSettingsOf } from './strategies.ts';
import type { LossSettings, StrategyName } from './strategy.ts';

const torchvision = readFixture<typeof import('../../test/fixtures/strategies.json')>('strategies');
const draw = { seed: 7, step: 3 };

function settingsOf(strategy: StrategyName, numbers: Partial<LossSettings> = {}): LossSettings {
  return lossSettingsOf({ strategy, alpha: 0.25, gamma: 2, ...numbers });
}

/** One class, boxes far apart, one level: what a case does not say. */
function imageOf({ matches, ...given }: Partial<SelectionImage> & { matches: Int32Array }): SelectionImage {
  const apart = Float32Array.from({ length: matches.length * 4 }, (_, index) => {
    return 100 * (index >> 2) + (index % 4 > 1 ? 10 : 0);
  });
  return {
    matches,
    logits: new Float32Array(matches.length),
    foregroundClassCount: 1,
    classIndices: Int32Array.of(0),
    levelCounts: [matches.length],
    boxes: () => apart,
    ...given,
  };
}

function background(count: number): Int32Array {
  return new Int32Array(count).fill(-1);
}

/** Anchors that count. */
function chosen(weights: Float32Array | undefined): number[] {
  return Array.from(weights!.entries()).flatMap(([anchor, weight]) => (weight > 0 ? [anchor] : []));
}

function choose(image: SelectionImage, settings: LossSettings): number[] {
  return chosen(selectAnchors([image], settings, draw).weights[0]);
}

describe("SSD's hard negatives", () => {
  const { classes, logits, matches, labels, weights, loss } = torchvision.hard_negatives;
  const images = matches.map((each, index) =>
    imageOf({
      matches: Int32Array.from(each),
      logits: Float32Array.from(logits[index]!),
      foregroundClassCount: classes,
      classIndices: Int32Array.from(labels[index]!),
    }),
  );

  it("are torchvision's, with its weights and its loss", () => {
    const selection = selectAnchors(images, settingsOf('ssd'), draw);
    let sum = 0;
    selection.weights.forEach((weight, index) => {
      const expected = weights[index] as Readonly<Record<string, number>>;
      expect(Object.fromEntries(chosen(weight).map((anchor) => [anchor, weight[anchor]]))).toEqual(expected);
      const { logits, foregroundClassCount } = images[index]!;
      const terms = focalTerms(logits, images[index]!, foregroundClassCount, { alpha: -1, gamma: 0 });
      terms.forEach((term, at) => {
        sum += weight[Math.floor(at / classes)]! * term;
      });
    });
    expect(selection.selectedAnchors).toBe(16);
    expect(Math.abs(sum / loss - 1)).toBeLessThan(1e-6);
  });

  it('are none on a batch without objects, and never an ignored anchor', () => {
    const empty = selectAnchors([imageOf({ matches: background(9) })], settingsOf('ssd'), draw);
    expect(empty).toEqual({ weights: [new Float32Array(9)], selectedAnchors: 0 });
    const image = imageOf({
      matches: Int32Array.of(-2, 0, -1, -2, -1),
      logits: Float32Array.of(9, 0, -3, 9, -4),
    });
    expect(choose(image, settingsOf('ssd'))).toEqual([1, 2, 4]);
  });

  it('are the first of equal ones', () => {
    const matches = background(9);
    matches[4] = 0;
    expect(choose(imageOf({ matches }), settingsOf('ssd'))).toEqual([0, 1, 2, 4]);
  });
});

describe('OHEM', () => {
  const { boxes, logits, hardest } = torchvision.suppression;
  const image = imageOf({
    matches: background(logits.length),
    logits: Float32Array.from(logits),
    boxes: () => Float32Array.from(boxes),
  });

  it.each([5, 20, 1000])("takes the heaviest %i that torchvision's NMS leaves", (hardCount) => {
    const expected = hardest.slice(0, hardCount).sort((a, b) => a - b);
    expect(choose(image, settingsOf('ohem', { hardCount }))).toEqual(expected);
  });

  it('scores an anchor by the loss of all its classes, positives too, and takes the mean over the batch', () => {
    const first = imageOf({
      // A sure mistake on an object, an ignored one, two classes half wrong, one class wrong, all well.
      matches: Int32Array.of(0, -2, -1, -1, -1),
      foregroundClassCount: 2,
      logits: Float32Array.of(-5, -5, 9, 9, 1, 1, 2, -9, -9, -9),
    });
    const second = imageOf({ matches: background(1), foregroundClassCount: 2, logits: new Float32Array(2) });
    const { weights, selectedAnchors } = selectAnchors(
      [first, second],
      settingsOf('ohem', { hardCount: 2 }),
      draw,
    );
    expect(selectedAnchors).toBe(3);
    const third = Math.fround(1 / 3);
    expect(weights).toEqual([Float32Array.of(third, 0, third, 0, 0), Float32Array.of(third)]);
  });

  it('goes by the lower anchor where losses are equal', () => {
    expect(choose(imageOf({ matches: background(6) }), settingsOf('ohem', { hardCount: 2 }))).toEqual([0, 1]);
  });
});

describe('OHEM 1:3', () => {
  const settings = settingsOf('ohem-1-3', { hardCount: 8 });

  it('takes three background anchors for every object, the hardest of both', () => {
    const matches = background(12);
    for (const anchor of [1, 3, 5]) matches[anchor] = 0;
    const logits = Float32Array.of(1, 5, 2, -5, 3, -6, 4, 5, 6, 7, -7, -8);
    expect(choose(imageOf({ matches, logits }), settings)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('takes fewer where objects are few, and none where there are none', () => {
    const matches = background(9);
    matches[8] = 0;
    expect(choose(imageOf({ matches }), settings)).toEqual([0, 1, 2, 8]);
    expect(choose(imageOf({ matches: background(9) }), settings)).toEqual([]);
  });

  it('leaves out objects that a harder anchor overlaps', () => {
    const matches = Int32Array.of(0, -1, -1, -1, 0);
    const boxes = Float32Array.of(0, 0, 9, 9, 0, 0, 9, 9, 50, 0, 59, 9, 90, 0, 99, 9, 150, 0, 159, 9);
    const logits = Float32Array.of(3, 4, 0, 0, 3);
    expect(choose(imageOf({ matches, logits, boxes: () => boxes }), settings)).toEqual([1, 2, 3, 4]);
  });
});

describe('samples', () => {
  it.each(torchvision.samplers)(
    "$strategy of $positives and $negatives as torchvision's",
    ({ strategy, positives, negatives, chosen: [objects, others] }) => {
      const matches = new Int32Array(positives + negatives + 7).fill(-2);
      matches.fill(0, 0, positives).fill(-1, positives, positives + negatives);
      const image = imageOf({ matches, logits: new Float32Array(0) });
      const { weights, selectedAnchors } = selectAnchors([image], settingsOf(strategy as StrategyName), draw);
      const drawn = chosen(weights[0]);
      expect(drawn.filter((anchor) => anchor < positives)).toHaveLength(objects!);
      expect(drawn).toHaveLength(objects! + others!);
      expect(drawn.every((anchor) => anchor < positives + negatives)).toBe(true);
      expect(selectedAnchors).toBe(drawn.length);
      if (drawn.length > 0) expect(weights[0]![drawn[0]!]).toBe(Math.fround(1 / drawn.length));
    },
  );

  it('are the same for the same seed, step and place in the batch, and others elsewhere', () => {
    const image = imageOf({ matches: background(5000), logits: new Float32Array(0) });
    const sample = (seed: number, step: number) =>
      selectAnchors([image, image], settingsOf('sampled-rpn'), { seed, step }).weights.map(chosen);
    const [first, second] = sample(1, 1);
    expect(sample(1, 1)).toEqual([first, second]);
    for (const other of [second, sample(1, 2)[0], sample(2, 1)[0]]) expect(other).not.toEqual(first);
  });

  it('draw every anchor about as often', () => {
    const image = imageOf({ matches: background(1024), logits: new Float32Array(0) });
    const often = new Int32Array(1024);
    for (let step = 0; step < 200; step++) {
      const { weights } = selectAnchors([image], settingsOf('sampled-rpn'), { seed: 1, step });
      for (const anchor of chosen(weights[0])) often[anchor]!++;
    }
    // Binomial of 200 and a quarter: 50 ± 6; six deviations.
    expect(Math.min(...often)).toBeGreaterThan(50 - 37);
    expect(Math.max(...often)).toBeLessThan(50 + 37);
  });
});

describe('top-scored boxes', () => {
  const settings = settingsOf('top-scored');

  it("are those that torchvision's RPN keeps, with the objects", () => {
    const { boxes, logits, levels, proposals } = torchvision.suppression;
    const matches = background(logits.length);
    const suppressed = logits.findIndex((_, anchor) => !proposals.includes(anchor));
    matches[suppressed] = 0;
    matches[proposals[0]!] = -2;
    const image = imageOf({
      matches,
      logits: Float32Array.from(logits),
      boxes: () => Float32Array.from(boxes),
      levelCounts: levels,
    });
    const expected = [...proposals.slice(1), suppressed].sort((a, b) => a - b);
    expect(choose(image, settings)).toEqual(expected);
  });

  it('are at most 2000 of a level and 2000 of an image, by the highest class', () => {
    const levels = [2500, 1500];
    const logits = new Float32Array(2 * 4000).fill(-20);
    // The further on, the better: the first level's last 2000 go on, and of both the last 2000 stay.
    for (let anchor = 0; anchor < 4000; anchor++) logits[anchor * 2 + (anchor % 2)] = anchor / 1000;
    const image = imageOf({
      matches: background(4000),
      logits,
      foregroundClassCount: 2,
      levelCounts: levels,
    });
    const drawn = Array.from({ length: 20 }, (_, step) =>
      chosen(selectAnchors([image], settings, { seed: 1, step }).weights[0]),
    ).flat();
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(2000);
    expect(new Set(drawn).size).toBeGreaterThan(1950);
    const one = { ...image, levelCounts: [4000] };
    expect(Math.min(...choose(one, settings))).toBeGreaterThanOrEqual(2000);
  });
});

it('does nothing about an image without anchors', () => {
  for (const strategy of ['ohem', 'ohem-1-3', 'ssd', 'sampled', 'sampled-rpn', 'top-scored'] as const) {
    expect(selectAnchors([imageOf({ matches: background(0) })], settingsOf(strategy), draw)).toEqual({
      weights: [new Float32Array(0)],
      selectedAnchors: 0,
    });
  }
});

it('is not asked where every anchor counts', () => {
  expect(() => selectAnchors([imageOf({ matches: background(1) })], settingsOf('focal'), draw)).toThrow();
});
