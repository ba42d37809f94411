import { describe, expect, it } from 'vitest';
import fixture from '../../test/fixtures/coco_eval.json';
import { evaluateCoco, evaluateCocoStepwise, iouThresholds, recallThresholds } from './coco.ts';
import type { CocoAnnotation, CocoDetection } from './cocoInput.ts';
import { boxIouXywh } from './cocoMatch.ts';
import { numpyMean } from './numpyMath.ts';

describe('against pycocotools, to the last bit', () => {
  const { metrics, precision, recall, categoryIds } = evaluateCoco(fixture.ground_truth, fixture.detections);
  const known = (values: Float64Array) => values.filter((value) => value > -1).reduce((a, b) => a + b, 0);

  it.each(Object.entries(fixture.stats))('%s', (name, expected) => {
    expect(metrics[name as keyof typeof fixture.stats]).toBe(expected);
  });

  it.each(Object.entries(fixture.AP_per_class))('AP of %s', (name, expected) => {
    expect(metrics.perClass[name]).toBe(expected);
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
      expect(metrics.perClass50[names.get(id)!]).toBeCloseTo(expected.reduce((a, b) => a + b, 0) / 101, 6);
    });
  });

  it('every precision and recall in sum', () => {
    // Summed in another order than numpy does.
    expect(known(precision) / fixture.precision_sum).toBeCloseTo(1, 12);
    expect(known(recall) / fixture.recall_sum).toBeCloseTo(1, 12);
  });
});

describe('thresholds and means', () => {
  it("are numpy's", () => {
    expect(iouThresholds[5]).toBe(0.75);
    expect(iouThresholds[8]).toBe(0.8999999999999999);
    expect(iouThresholds[9]).toBe(0.95);
    expect(recallThresholds[100]).toBe(1);
    const odd = recallThresholds.flatMap((value, i) => (value === i / 100 ? [] : [i]));
    expect(odd).toEqual(expect.arrayContaining([35, 41, 47, 57, 69, 70, 82, 83, 94, 95]));
  });

  it.each([
    [100, 6.6146294710314795],
    [1000, 21.065833110879048],
    [8193, 60.33791214464833],
    [20000, 94.27735824472055],
  ])('of %i values are added in the order that numpy adds them', (count, expected) => {
    expect(numpyMean(Float64Array.from({ length: count }, (_, i) => Math.sqrt(i)))).toBe(expected);
  });
});

/** What pycocotools gives a perfect curve: tp / (tp + 2^-52). */
const one = 1 - 2 ** -52;
const images = [{ id: 1 }, { id: 2 }];
const categories = [{ id: 1, name: 'cell' }];

function truth(id: number, bbox: number[], more: Partial<CocoAnnotation> = {}): CocoAnnotation {
  return { id, image_id: 1, category_id: 1, bbox, area: bbox[2]! * bbox[3]!, iscrowd: 0, ...more };
}

function found(bbox: number[], score: number, image_id = 1): CocoDetection {
  return { image_id, category_id: 1, bbox, score };
}

function evaluate(annotations: CocoAnnotation[], detections: CocoDetection[]) {
  return evaluateCoco({ images, annotations, categories }, detections).metrics;
}

describe('rules', () => {
  const box = [10, 10, 40, 40];
  const other = [200, 200, 40, 40];

  it('1: ids are taken once and in ascending order; a field `ignore` says nothing', () => {
    const twice = { images: [{ id: 2 }, { id: 1 }, { id: 2 }], categories: [...categories, ...categories] };
    const ignore = { ...truth(1, box), ignore: 1 };
    const evaluation = evaluateCoco({ ...twice, annotations: [ignore] }, [found(box, 0.9)]);
    expect(evaluation.categoryIds).toEqual([1]);
    expect(evaluation.metrics.AP).toBe(one);
  });

  it('2: sizes are those of the field `area`, and both ends belong to a range', () => {
    const small = [0, 0, 32, 32];
    expect(evaluate([truth(1, small)], [found(small, 0.9)])).toMatchObject({ APs: one, APm: one, APl: -1 });
    const large = [0, 0, 96, 96];
    expect(evaluate([truth(1, large)], [found(large, 0.9)])).toMatchObject({ APs: -1, APm: one, APl: one });
    const thin = truth(1, [0, 0, 100, 100], { area: 900 });
    expect(evaluate([thin], [found([0, 0, 100, 100], 0.9)])).toMatchObject({ APs: one, APm: -1, APl: -1 });
    const endless = truth(1, box, { area: 1e10 + 1 });
    expect(evaluate([endless], [found(box, 0.9)])).toMatchObject({ AP: -1, APl: -1 });
  });

  it('3: a ground truth of id 0 is never found, and is taken all the same', () => {
    expect(evaluate([truth(0, box)], [found(box, 0.9), found(box, 0.8)])).toMatchObject({ AP: 0, AR100: 0 });
  });

  it('4 and 13: of an image and category the best 1, 10 and 100 count, equals in the order of the file', () => {
    const two = [truth(1, box), truth(2, other)];
    expect(evaluate(two, [found(box, 0.9), found(other, 0.8)])).toMatchObject({ AR1: 0.5, AR10: 1 });
    const misses = (count: number) => Array.from({ length: count }, () => found([400, 0, 9, 9], 0.5));
    expect(evaluate([truth(1, box)], [...misses(9), found(box, 0.5)])).toMatchObject({ AR1: 0, AR10: 1 });
    expect(evaluate([truth(1, box)], [...misses(99), found(box, 0.5)])).toMatchObject({ AR10: 0, AR100: 1 });
    expect(evaluate([truth(1, box)], [...misses(100), found(box, 0.5)])).toMatchObject({ AR100: 0 });
  });

  it('5: of two equal overlaps the later ground truth is taken', () => {
    // The first detection touches both alike and takes the second; the second detection then finds the first.
    const left = truth(1, [0, 0, 10, 10]);
    const right = truth(2, [2, 0, 10, 10]);
    const metrics = evaluate([left, right], [found([1, 0, 10, 10], 0.9), found([0, 0, 10, 10], 0.8)]);
    expect(metrics.AP50).toBe(1);
    const mirrored = evaluate([right, left], [found([1, 0, 10, 10], 0.9), found([0, 0, 10, 10], 0.8)]);
    expect(mirrored.AP75).toBeCloseTo(51 / 101, 12);
  });

  it('5: a real ground truth goes before a crowd that overlaps more, and a crowd takes any number', () => {
    const crowd = truth(1, [0, 0, 100, 100], { iscrowd: 1 });
    const real = truth(2, [0, 0, 40, 36]);
    expect(evaluate([crowd, real], [found([0, 0, 40, 40], 0.9)]).AP75).toBeCloseTo(1, 12);
    const inCrowd = [found([50, 50, 20, 20], 0.9), found([50, 50, 20, 20], 0.8)];
    expect(evaluate([crowd, real], [...inCrowd, found([0, 0, 40, 36], 0.5)]).AP).toBe(one);
    const elsewhere = [found([300, 10, 20, 20], 0.9), found([300, 10, 20, 20], 0.7)];
    expect(evaluate([crowd, real], [...elsewhere, found([0, 0, 40, 36], 0.5)]).AP).toBeCloseTo(1 / 3, 12);
  });

  it('6: a detection without a match counts only in its own range of sizes', () => {
    const tiny = found([300, 300, 10, 10], 0.95);
    const metrics = evaluate([truth(1, box)], [tiny, found(box, 0.9)]);
    expect(metrics).toMatchObject({ APm: one, APs: -1 });
    expect(metrics.AP).toBeCloseTo(0.5, 12);
  });

  it('7: widths are differences, an empty overlap is 0, and of a crowd the detection itself is measured', () => {
    expect(boxIouXywh([0, 0, 10, 10], [5, 0, 10, 10], false)).toBe(50 / 150);
    expect(boxIouXywh([0, 0, 10, 10], [10, 0, 10, 10], false)).toBe(0);
    expect(boxIouXywh([0, 0, 10, 10], [5, 5, 0, 0], false)).toBe(0);
    expect(boxIouXywh([0, 0, 10, 10], [5, 0, 100, 100], true)).toBe(0.5);
  });

  it('8: images follow one another by id, and equal scores keep that order', () => {
    const hit = found(box, 0.5, 1);
    const miss = found(box, 0.5, 2);
    expect(evaluate([truth(1, box)], [miss, hit]).AP).toBe(one);
    expect(evaluate([truth(1, box, { image_id: 2 })], [miss, hit]).AP).toBeCloseTo(0.5, 12);
  });

  it('9: no ground truth is -1, and one that nothing finds is 0', () => {
    expect(evaluate([truth(1, box)], [])).toMatchObject({ AP: 0, AR100: 0, APs: -1, perClass: { cell: 0 } });
    expect(evaluate([], [found(box, 0.9)])).toMatchObject({ AP: -1, AR100: -1, perClass50: { cell: -1 } });
  });

  it('10: precision is the best at this recall or a later one, and 0 beyond the last', () => {
    const three = [truth(1, box), truth(2, other), truth(3, [400, 400, 40, 40])];
    const miss = found([600, 0, 9, 9], 0.85);
    const metrics = evaluate(three, [found(box, 0.9), miss, found(other, 0.8)]);
    // Recall 1/3 at precision 1, then 2/3 at 2/3: recalls 0 to .33, and .34 to .66.
    expect(metrics.AP50).toBeCloseTo((34 + 33 * (2 / 3)) / 101, 12);
    expect(metrics.AR100).toBeCloseTo(2 / 3, 12);
  });

  it('12: classes and thresholds without a figure are left out of the mean', () => {
    const more = [...categories, { id: 2, name: 'none' }];
    const { metrics } = evaluateCoco({ images, annotations: [truth(1, box)], categories: more }, [
      found(box, 0.9),
    ]);
    expect(metrics).toMatchObject({ AP: one, perClass: { cell: one, none: -1 } });
  });
});

describe('a step at a time', () => {
  it('tells how many categories are done, and comes to the same', () => {
    const steps = evaluateCocoStepwise(fixture.ground_truth, fixture.detections);
    const told = [];
    let step = steps.next();
    for (; !step.done; step = steps.next()) told.push(step.value);
    const total = fixture.ground_truth.categories.length;
    expect(told).toEqual(Array.from({ length: total }, (_, k) => ({ done: k + 1, total })));
    expect(step.value.metrics.AP).toBe(fixture.stats.AP);
  });
});

describe('what cannot be evaluated', () => {
  const annotation = truth(7, [0, 0, 4, 4]);
  const detection = found([0, 0, 1, 1], 0.5);
  const outlined = { ...annotation, bbox: undefined, segmentation: [[0, 0, 4, 0, 4, 4]] };

  it.each([
    [{ ...annotation, iscrowd: undefined }, 'annotations[1] (id 7) has no iscrowd'],
    [{ ...annotation, iscrowd: 'no' }, 'the iscrowd of annotations[1] (id 7) is "no" and not a number'],
    [{ ...annotation, area: null }, 'the area of annotations[1] (id 7) is null and not a number'],
    [{ ...annotation, bbox: [0, 0, 4] }, 'the bbox of annotations[1] (id 7) is [0,0,4] and not four numbers'],
    [{ ...annotation, bbox: null }, 'the bbox of annotations[1] (id 7) is null and not four numbers'],
    [outlined, 'annotations[1] (id 7) has a segmentation and no bbox'],
    [{ ...annotation, image_id: undefined }, 'annotations[1] (id 7) has no image_id'],
    [{ ...annotation, id: 'a' }, 'the id of annotations[1] is "a" and not a number'],
    [{ ...annotation, id: 3 }, 'annotations[0] and [1] both have the id 3'],
    [null, 'annotations[1] is no object'],
  ])('is an annotation, named by its place and field: %j', (entry, reason) => {
    expect(() => evaluate([truth(3, [0, 0, 4, 4]), entry as CocoAnnotation], [])).toThrow(reason);
  });

  it.each([
    [{ ...detection, image_id: 9 }, 'detections[1] has the image_id 9, which the ground truth does not have'],
    [{ ...detection, score: Number.NaN }, 'the score of detections[1] is NaN and not a number'],
    [{ ...detection, score: undefined }, 'detections[1] has no score'],
    [
      { ...detection, bbox: [0, 0, 1, null] },
      'the bbox of detections[1] is [0,0,1,null] and not four numbers',
    ],
    [{ ...detection, bbox: undefined, segmentation: { counts: '' } }, 'detections[1] has a segmentation'],
    [{ ...detection, category_id: 'cell' }, 'the category_id of detections[1] is "cell" and not a number'],
    [7, 'detections[1] is no object'],
  ])('is a detection, named by its place and field: %j', (entry, reason) => {
    expect(() => evaluate([], [detection, entry as CocoDetection])).toThrow(reason);
  });

  it('is a file without its lists', () => {
    const lists = { images, annotations: [], categories };
    expect(() => evaluateCoco({ ...lists, images: undefined as never }, [])).toThrow('"images" is missing');
    expect(() => evaluateCoco({ ...lists, categories: {} as never }, [])).toThrow('"categories" is no list');
    expect(() => evaluateCoco({ ...lists, images: [{ id: '1' as never }] }, [])).toThrow('images[0]');
    expect(() => evaluateCoco(lists, {} as never)).toThrow('the detections are no list');
  });
});

describe('what is passed over', () => {
  it('are annotations of unknown images and categories, and detections of unknown categories, which are counted', () => {
    const strangers = [truth(1, [0, 0, 9, 9], { image_id: 5 }), truth(2, [0, 0, 9, 9], { category_id: 5 })];
    const stranger = { ...found([0, 0, 9, 9], 0.9), category_id: 5 };
    const evaluation = evaluateCoco({ images, annotations: strangers, categories }, [stranger, stranger]);
    expect(evaluation.metrics.AP).toBe(-1);
    expect(evaluation.strangers).toEqual({ detections: 2, categoryIds: [5] });
  });
});

describe('class names', () => {
  it('of several classes are kept apart, and any name is taken as it is', () => {
    const named = (names: (string | undefined)[]) => {
      const list = names.map((name, index) => ({ id: index + 1, name: name as string }));
      return Object.keys(evaluateCoco({ images, annotations: [], categories: list }, []).metrics.perClass);
    };
    expect(named(['a', 'a', 'b'])).toEqual(['a (1)', 'a (2)', 'b']);
    expect(named(['__proto__'])).toEqual(['__proto__']);
    expect(named([undefined])).toEqual(['1']);
  });
});
