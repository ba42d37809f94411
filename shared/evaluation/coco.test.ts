import { describe, expect, it } from 'vitest';
import fixture from '../../test/fixtures/coco_eval.json';
import { evaluateCoco, iouThresholds, recallThresholds } from './coco.ts';
import type { CocoAnnotation } from './cocoInput.ts';

const near = (actual: number, expected: number) => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(expected)));
};

describe('against pycocotools', () => {
  const { metrics, precision, recall, categoryIds } = evaluateCoco(fixture.ground_truth, fixture.detections);
  const known = (values: Float64Array) => values.filter((value) => value > -1).reduce((a, b) => a + b, 0);

  it.each(Object.entries(fixture.stats))('%s', (name, expected) => {
    near(metrics[name as keyof typeof fixture.stats], expected);
  });

  it.each(Object.entries(fixture.AP_per_class))('AP of %s', (name, expected) => {
    near(metrics.perClass[name]!, expected);
  });

  it('the precision curve of every class at IoU .5', () => {
    const names = new Map(fixture.ground_truth.categories.map(({ id, name }) => [id, name]));
    categoryIds.forEach((id, k) => {
      const expected =
        fixture.precision_iou50_areaall_maxdet100[
          names.get(id) as keyof typeof fixture.precision_iou50_areaall_maxdet100
        ];
      expected.forEach((value, r) => {
        expect(precision[(r * categoryIds.length + k) * 12 + 2]).toBeCloseTo(value, 7);
      });
    });
  });

  it('every precision and recall in sum', () => {
    near(known(precision), fixture.precision_sum);
    near(known(recall), fixture.recall_sum);
  });
});

describe('thresholds', () => {
  it("are numpy's", () => {
    expect(iouThresholds[5]).toBe(0.75);
    expect(iouThresholds[8]).toBe(0.8999999999999999);
    expect(iouThresholds[9]).toBe(0.95);
    expect(recallThresholds[100]).toBe(1);
    const odd = recallThresholds.flatMap((value, i) => (value === i / 100 ? [] : [i]));
    expect(odd).toEqual(expect.arrayContaining([35, 41, 47, 57, 69, 70, 82, 83, 94, 95]));
  });
});

/** What pycocotools gives a perfect curve: tp / (tp + 2^-52). */
const one = 1 - 2 ** -52;

describe('rules', () => {
  const images = [{ id: 1 }, { id: 2 }];
  const categories = [{ id: 1, name: 'cell' }];
  const truth = (id: number, bbox: number[], more: Partial<CocoAnnotation> = {}): CocoAnnotation => ({
    id,
    image_id: 1,
    category_id: 1,
    bbox,
    area: bbox[2]! * bbox[3]!,
    iscrowd: 0,
    ...more,
  });
  const found = (bbox: number[], score: number, image_id = 1) => ({ image_id, category_id: 1, bbox, score });
  const evaluate = (annotations: CocoAnnotation[], detections: ReturnType<typeof found>[]) =>
    evaluateCoco({ images, annotations, categories }, detections).metrics;

  it('a perfect detection has AP 1, none has AP and AR 0, no ground truth has -1', () => {
    const box = [10, 10, 40, 40];
    expect(evaluate([truth(1, box)], [found(box, 0.9)])).toMatchObject({
      AP: one,
      AR1: 1,
      APm: one,
      APs: -1,
    });
    expect(evaluate([truth(1, box)], [])).toMatchObject({ AP: 0, AR100: 0 });
    expect(evaluate([], [found(box, 0.9)])).toMatchObject({ AP: -1, AR100: -1 });
  });

  it('an area of 1024 is small and medium', () => {
    const box = [0, 0, 32, 32];
    expect(evaluate([truth(1, box)], [found(box, 0.9)])).toMatchObject({ APs: one, APm: one, APl: -1 });
  });

  it('a ground truth of id 0 is never found, and is taken all the same', () => {
    const box = [10, 10, 40, 40];
    expect(evaluate([truth(0, box)], [found(box, 0.9), found(box, 0.8)])).toMatchObject({ AP: 0, AR100: 0 });
  });

  it('detections on a crowd count neither way, as many as there are', () => {
    const crowd = truth(1, [0, 0, 100, 100], { iscrowd: 1 });
    const real = truth(2, [200, 200, 40, 40]);
    const inCrowd = [found([10, 10, 20, 20], 0.9), found([50, 50, 20, 20], 0.8)];
    expect(evaluate([crowd, real], [...inCrowd, found([200, 200, 40, 40], 0.5)]).AP).toBe(one);
    const elsewhere = [found([300, 10, 20, 20], 0.9), found([300, 10, 20, 20], 0.7)];
    expect(evaluate([crowd, real], [...elsewhere, found([200, 200, 40, 40], 0.5)]).AP).toBeCloseTo(1 / 3, 12);
  });

  it('of two equal overlaps the later ground truth is taken', () => {
    // The first detection touches both alike and takes the second; the second detection then finds the first.
    const left = truth(1, [0, 0, 10, 10]);
    const right = truth(2, [2, 0, 10, 10]);
    const metrics = evaluate([left, right], [found([1, 0, 10, 10], 0.9), found([0, 0, 10, 10], 0.8)]);
    expect(metrics.AP50).toBe(1);
    const mirrored = evaluate([right, left], [found([1, 0, 10, 10], 0.9), found([0, 0, 10, 10], 0.8)]);
    expect(mirrored.AP75).toBeCloseTo(51 / 101, 12);
  });

  it('only the best of an image count under a cap, and images of the same score keep their order', () => {
    const box = [10, 10, 40, 40];
    const other = [100, 100, 40, 40];
    const two = [truth(1, box), truth(2, other)];
    expect(evaluate(two, [found(box, 0.9), found(other, 0.8)])).toMatchObject({ AR1: 0.5, AR10: 1 });
  });

  it.each([
    [{ ...truth(7, [0, 0, 4, 4]), iscrowd: undefined as never }, 'annotation 7 has no iscrowd'],
    [{ ...truth(7, [0, 0, 4, 4]), area: undefined as never }, 'annotation 7 has no area'],
    [truth(7, [0, 0, 4], { area: 16 }), 'annotation 7 has no valid bbox'],
  ])('names the annotation it cannot evaluate', (annotation, reason) => {
    expect(() => evaluate([annotation], [])).toThrow(reason);
  });

  it('names detections of unknown images and annotations of one id', () => {
    expect(() => evaluate([], [found([0, 0, 1, 1], 0.5, 9)])).toThrow('detection 0 is on image 9');
    expect(() => evaluate([], [found([0, 0, 1, 1], Number.NaN)])).toThrow('detection 0 has no valid score');
    const twice = [truth(3, [0, 0, 1, 1]), truth(3, [5, 5, 1, 1])];
    expect(() => evaluate(twice, [])).toThrow('annotation 3 appears twice');
  });

  it('keeps classes of one name apart, and any name as it is', () => {
    const named = (names: string[]) =>
      Object.keys(
        evaluateCoco(
          { images, annotations: [], categories: names.map((name, id) => ({ id: id + 1, name })) },
          [],
        ).metrics.perClass,
      );
    expect(named(['a', 'a', 'b'])).toEqual(['a (1)', 'a (2)', 'b']);
    expect(named(['__proto__'])).toEqual(['__proto__']);
  });
});
