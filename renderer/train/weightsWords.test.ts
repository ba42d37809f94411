import { describe, expect, it } from 'vitest';
import { defaultNetworkOptions } from '../../shared/detector/network.ts';
import type { WeightsDescription } from '../../shared/weights/description.ts';
import { cocoNames } from '../../shared/weights/model/cocoNames.ts';
import { buildOf, classesOf, planWords, startedFrom, titleOf, trainedAt } from './weightsWords.ts';

const mine = ['RBC', 'WBC', 'Platelets'];

function described(changes: Partial<WeightsDescription>): WeightsDescription {
  return {
    ...{ name: 'a.pth', format: 'torch', layout: 'torchvision', content: 'retinanet' },
    network: defaultNetworkOptions('resnet50', 3, 'loaded'),
    ...{ classColumns: 3, classNames: null, tensorCount: 1, parameterCount: 1, fileBytes: 1 },
    ...{ missing: [], extra: [], notes: [] },
    ...changes,
  };
}

describe('the words for weights', () => {
  it('name the network and what it is built of', () => {
    expect(titleOf(described({}))).toBe('RetinaNet on ResNet-50');
    expect(buildOf(described({}))).toBe('256-channel pyramid, plain heads, frozen BatchNorm');
    expect(buildOf(described({ network: defaultNetworkOptions('nano', 3) }))).toBe(
      '32-channel pyramid, GroupNorm throughout',
    );
    expect(buildOf(described({ content: 'backbone' }))).toBe('frozen BatchNorm');
  });

  it('count the classes that objects belong to, not the empty columns', () => {
    const names = cocoNames(91)!;
    expect(classesOf(described({ classColumns: 91, classNames: names }))).toBe(
      '80 classes: person, bicycle, car and 77 more',
    );
    expect(classesOf(described({ classColumns: 7 }))).toBe('7 class columns, names unknown');
    expect(classesOf(described({ content: 'backbone', classColumns: null }))).toBeNull();
  });

  it('say what is kept by name and what starts fresh', () => {
    const some = described({ classColumns: 2, classNames: ['wbc', 'Dust'] });
    expect(planWords(some, mine)).toEqual([
      '1 of your 3 classes is known by name and kept: WBC.',
      'RBC, Platelets start fresh.',
    ]);
    expect(planWords(described({ classNames: ['Platelets', 'RBC', 'WBC'] }), mine)).toEqual([
      'Your 3 classes are all known by name, and kept.',
    ]);
    expect(planWords(described({ classColumns: 1, classNames: ['Dust'] }), mine)[0]).toContain(
      'None of your classes is among its own',
    );
  });

  it('say how nameless columns are taken', () => {
    expect(planWords(described({}), mine)[0]).toContain('as many class columns');
    expect(planWords(described({ classColumns: 4 }), mine)[0]).toContain('taken as background and dropped');
    expect(planWords(described({ classColumns: 9 }), mine)[0]).toContain('9 class columns');
    expect(planWords(described({ content: 'backbone', classColumns: null }), mine)[0]).toContain(
      'start fresh',
    );
  });

  it('name what a run started from', () => {
    const runs = [{ id: 'run-0001', name: 'First' }];
    expect(startedFrom('random', runs)).toBeNull();
    expect(startedFrom('run-0001', runs)).toBe('First');
    expect(startedFrom('run-0002', runs)).toBe('a run that was deleted');
    expect(startedFrom('file:C:\\w\\cells.pth', runs)).toBe('cells.pth');
    expect(startedFrom('published:resnet18', runs)).toBe('ResNet-18, ImageNet');
  });

  it('tell the size of images only where it is known', () => {
    expect(trainedAt({ kind: 'published', id: 'retinanet_resnet50_fpn' })).toContain('800 px');
    expect(trainedAt({ kind: 'published', id: 'resnet18' })).toBeNull();
    expect(trainedAt({ kind: 'file', path: '/a.pth' })).toBeNull();
  });
});
