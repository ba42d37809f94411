import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { chooseValidation, makeTask, type ProjectTrainingData, summarise } from './trainingTask.ts';

const image = (id: string, classIndices: number[]) => ({
  id,
  name: `${id}.jpg`,
  widthPx: 10,
  heightPx: 10,
  boxes: classIndices.map((classIndex) => ({
    boxPx: [0, 0, 5, 5] as [number, number, number, number],
    classIndex,
    ignore: false,
  })),
});
const data: ProjectTrainingData = {
  classIds: [3, 5, 9],
  classes: ['RBC', 'WBC', 'new'],
  train: [image('a', [0, 0, 1]), image('b', [])],
  validation: [image('c', [2])],
};

describe('summarise', () => {
  it('counts boxes by class and images without any', () => {
    expect(summarise(data)).toEqual({
      trainImages: 2,
      validationImages: 1,
      trainBoxes: 3,
      classes: [
        { name: 'RBC', boxes: 2 },
        { name: 'WBC', boxes: 1 },
        { name: 'new', boxes: 0 },
      ],
      emptyImages: 1,
    });
  });
});

describe('makeTask', () => {
  it('follows the order of the run’s classes, and ignores regions of classes that it does not know', () => {
    const run = { id: 'r', config: {}, classIds: [5, 3], classNames: ['WBC', 'RBC'] } as unknown as RunRecord;
    const task = makeTask(run, data, { resume: true, initName: '', changes: [] });
    expect(task.classes).toEqual(['WBC', 'RBC']);
    expect(task.train[0]?.boxes.map(({ classIndex }) => classIndex)).toEqual([1, 1, 0]);
    expect(task.validation[0]?.boxes[0]).toMatchObject({ ignore: true, classIndex: 0 });
  });
});

describe('chooseValidation', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, index) => String(index));

  it('takes every fifth image, at least one, and never the only one', () => {
    expect(chooseValidation(ids(12))).toEqual(['4', '9']);
    expect(chooseValidation(ids(3))).toEqual(['2']);
    expect(chooseValidation(ids(1))).toEqual([]);
  });
});
