import { describe, expect, it } from 'vitest';
import type { BoxPx } from '../domain/box.ts';
import { coverImage } from './coverage.ts';
import { adviceOf, bestAdvice, coverPlan, plansToTry, worstClass } from './coveragePlans.ts';
import { summariseCoverage } from './coverageSummary.ts';
import { defaultNetworkOptions } from './network.ts';

const at = (side: number, anchorScale = 1) => ({ minSizePx: side, maxSizePx: side, anchorScale });

describe('plansToTry', () => {
  it('begins with the form’s own, then larger sides, then smaller anchors', () => {
    expect(plansToTry(at(160))).toEqual([at(160), at(224), at(320), at(160, 0.5), at(224, 0.5)]);
  });

  it('finds nothing larger than the largest side, and no anchors smaller than the smallest', () => {
    expect(plansToTry(at(800))).toEqual([at(800), at(800, 0.5)]);
    expect(plansToTry(at(640, 0.125))).toEqual([at(640, 0.125), at(800, 0.125)]);
  });
});

describe('adviceOf', () => {
  const image = {
    id: 'a',
    widthPx: 160,
    heightPx: 160,
    boxes: [
      ...[20, 60, 100].map((x) => ({ boxPx: [x, 20, x + 26, 46] as BoxPx, classIndex: 0, ignore: false })),
      ...[20, 60, 100].map((x) => ({ boxPx: [x, 90, x + 9, 99] as BoxPx, classIndex: 1, ignore: false })),
    ],
  };

  const covered = () =>
    plansToTry(at(160)).map((plan) => coverPlan(defaultNetworkOptions('nano', 2), [image], plan));

  it('says what each plan would bring to all boxes and to the class worst off, and what it costs', () => {
    const results = covered();
    expect(worstClass(results[0]!.summary)?.classIndex).toBe(1);
    const advice = adviceOf(results);
    expect(advice.map(({ plan }) => plan)).toEqual(plansToTry(at(160)).slice(1));
    const twice = advice[1]!;
    expect(twice).toMatchObject({ share: 0, worstShare: 0, verdict: 'better', pixels: 4 });
    expect(twice.anchors).toBeCloseTo(4, 1);
    expect(advice[2]).toMatchObject({ pixels: 1, anchors: 1 });
    expect(results[0]!.worst.map(({ classIndex }) => classIndex)).toEqual([1, 1, 1]);
  });

  it('does not advise what costs other boxes their anchors', () => {
    const [own, ...others] = covered();
    const boxes = coverImage(image, { ...at(160), network: defaultNetworkOptions('nano', 2) });
    const lost = boxes.map((box) => (box.classIndex === 0 ? { ...box, fit: 'forced' as const } : box));
    const worse = { ...others[0]!, summary: summariseCoverage(lost, 2) };
    expect(adviceOf([own!, worse, own!]).map(({ verdict }) => verdict)).toEqual(['worse', 'same']);
    expect(adviceOf([])).toEqual([]);
  });

  it('recommends the cheapest of those that help about as much', () => {
    const one = (worstShare: number, pixels: number, verdict: 'better' | 'worse' = 'better') => {
      return { plan: at(160), share: 0, worstShare, pixels, anchors: pixels, verdict };
    };
    const cheap = one(0.009, 2);
    expect(bestAdvice([one(0, 4), cheap, one(0.2, 1), one(0, 1, 'worse')])).toBe(cheap);
    expect(bestAdvice([one(0, 1, 'worse')])).toBeNull();
  });
});
