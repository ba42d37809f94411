import { describe, expect, it } from 'vitest';
import { planClasses, takeColumns, withoutFirstColumn } from './classHead.ts';
import { cocoNames } from './cocoNames.ts';

const classes = ['RBC', 'WBC', 'Platelets'];

describe('planClasses', () => {
  it('goes by names where there are some', () => {
    expect(planClasses({ columns: 2, names: ['wbc ', 'RBC'] }, classes)).toEqual({
      columns: [1, 0, null],
      note: 'Class head: RBC, WBC kept, Platelets starts fresh.',
    });
    expect(planClasses({ columns: 3, names: ['a', 'b', 'c'] }, classes)).toEqual({
      columns: [null, null, null],
      note: 'Class head: none of its classes is RBC, WBC, Platelets, replaced by a fresh one.',
    });
  });

  it('prefers the same letters to the same but for capitals', () => {
    expect(planClasses({ columns: 2, names: ['rbc', 'RBC'] }, ['RBC', 'rbc']).columns).toEqual([1, 0]);
  });

  it('knows a background in front, named or not, and takes it for no class', () => {
    expect(planClasses({ columns: 3, names: ['RBC', 'WBC'] }, classes).columns).toEqual([1, 2, null]);
    const names = ['__background__', 'RBC', 'WBC'];
    expect(planClasses({ columns: 3, names }, ['WBC', '__background__']).columns).toEqual([2, null]);
  });

  it.each([
    [3, [0, 1, 2], '3 columns taken as RBC, WBC, Platelets, in this order'],
    [4, [1, 2, 3], 'column 0 is background and left out'],
    [5, [null, null, null], '5 columns for 3 classes, replaced'],
    [2, [null, null, null], '2 columns for 3 classes, replaced'],
    [1, [null, null, null], '1 column for 3 classes, replaced'],
  ])('goes by the count where no names are known: %i columns', (columns, expected, words) => {
    for (const names of [null, []]) {
      const plan = planClasses({ columns, names }, classes);
      expect(plan.columns).toEqual(expected);
      expect(plan.note).toContain(words);
    }
  });

  it('takes COCO’s names for a guess where none of the classes is among them', () => {
    const names = cocoNames(80)!;
    const others = Array.from({ length: 80 }, (_, index) => `cell ${index}`);
    expect(planClasses({ columns: 80, names }, others).columns[7]).toBe(7);
    expect(planClasses({ columns: 80, names }, ['dog', 'cell']).columns).toEqual([16, null]);
    expect(planClasses({ columns: 91, names: cocoNames(91) }, ['dog', 'cell']).columns).toEqual([18, null]);
    expect(cocoNames(90)).toBeNull();
  });
});

describe('takeColumns', () => {
  it('moves the rows of each anchor and leaves the rest as it was', () => {
    const theirs = { name: 'w', shape: [6, 2], data: Float32Array.from({ length: 12 }, (_, index) => index) };
    const own = { name: 'w', shape: [4, 2], data: new Float32Array(8).fill(-1) };
    const taken = takeColumns(theirs, 3, own, [2, null]);
    expect([...taken.data]).toEqual([4, 5, -1, -1, 10, 11, -1, -1]);
    expect([...own.data]).toEqual(Array(8).fill(-1));
  });
});

it('leaves the background out of a class head and nothing else', () => {
  const other = { name: 'backbone.a', shape: [1], data: Float32Array.of(7) };
  const bias = {
    name: 'head.classification_head.cls_logits.bias',
    shape: [6],
    data: Float32Array.of(0, 1, 2, 3, 4, 5),
  };
  const [same, fewer] = withoutFirstColumn([other, bias], 3);
  expect(same).toBe(other);
  expect(fewer).toEqual({ ...bias, shape: [4], data: Float32Array.of(1, 2, 4, 5) });
});
