import { describe, expect, it } from 'vitest';
import { initialiseFrom } from './initialise.ts';
import type { NamedTensor } from './ports.ts';

const weight = 'head.classification_head.cls_logits.weight';
const filled = (name: string, shape: number[], value: (index: number) => number): NamedTensor => ({
  name,
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => value(index)),
});

describe('initialiseFrom', () => {
  it('takes what fits by name and the class rows by class name', () => {
    const source = {
      name: 'run 1',
      classes: ['RBC', 'WBC'],
      tensors: [filled('backbone.a', [2], () => 5), filled(weight, [9 * 2, 1, 1, 1], (row) => 100 + row)],
    };
    const target = [
      filled('backbone.a', [2], () => 0),
      filled('backbone.b', [1], () => 9),
      filled(weight, [9 * 3, 1, 1, 1], () => -1),
    ];
    const result = initialiseFrom(source, target, ['Platelets', 'WBC', 'RBC']);
    expect([...result.tensors[0]!.data]).toEqual([5, 5]);
    expect([...result.tensors[1]!.data]).toEqual([9]);
    expect(result.fresh).toEqual(['backbone.b']);
    expect(result.classes).toEqual(['WBC', 'RBC']);
    expect(result.notes).toEqual([
      'run 1: 2 of 3 tensors taken.',
      'Class head: WBC, RBC kept, Platelets starts fresh.',
      'Fresh: backbone.b.',
    ]);
    // Anchor a: rows 3a (new class), 3a+1 from WBC's 2a+1, 3a+2 from RBC's 2a.
    const expected = Array.from({ length: 9 }, (_, a) => [-1, 100 + 2 * a + 1, 100 + 2 * a]).flat();
    expect([...result.tensors[2]!.data]).toEqual(expected);
  });

  it('keeps a background slot in front where the source has one', () => {
    const source = {
      name: 'x',
      classes: ['cat'],
      tensors: [filled(weight, [18, 1, 1, 1], (row) => row)],
    };
    const target = [filled(weight, [9, 1, 1, 1], () => -1)];
    const result = initialiseFrom(source, target, ['cat']);
    expect([...result.tensors[0]!.data]).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17]);
  });

  it('keeps the fresh class head where no class is known, and says so', () => {
    const source = {
      name: 'x',
      classes: [],
      tensors: [filled('backbone.a', [1], () => 3), filled(weight, [9 * 5, 1, 1, 1], (row) => row)],
    };
    const target = [filled('backbone.a', [1], () => 0), filled(weight, [18, 1, 1, 1], () => -1)];
    const result = initialiseFrom(source, target, ['cat', 'dog']);
    expect([...result.tensors[1]!.data]).toEqual(Array(18).fill(-1));
    expect(result).toMatchObject({ taken: 1, fresh: [weight], classes: [] });
    expect(result.notes[1]).toBe('Class head: 5 columns for 2 classes, replaced by a fresh one.');
  });

  it('names a class head of another width or with other anchors', () => {
    for (const shape of [
      [45, 2, 1, 1],
      [40, 1, 1, 1],
    ]) {
      const source = { name: 'wide.pth', classes: [], tensors: [filled(weight, shape, () => 0)] };
      const target = [filled(weight, [18, 1, 1, 1], () => 0)];
      expect(() => initialiseFrom(source, target, ['cat', 'dog'])).toThrow(
        /wide\.pth: .*cls_logits\.weight has shape/,
      );
    }
  });

  it('names the tensor whose shape belongs to another backbone', () => {
    const source = { name: 'big.safetensors', classes: [], tensors: [filled('backbone.a', [3], () => 0)] };
    expect(() => initialiseFrom(source, [filled('backbone.a', [2], () => 0)], ['cat'])).toThrow(
      /big\.safetensors: backbone\.a has shape 3/,
    );
  });

  it('refuses weights that share nothing', () => {
    const source = { name: 'other', classes: [], tensors: [filled('conv', [3], () => 0)] };
    expect(() => initialiseFrom(source, [filled('backbone.a', [2], () => 0)], ['cat'])).toThrow(
      /no parameter/,
    );
  });
});
