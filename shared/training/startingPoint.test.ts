import { describe, expect, it } from 'vitest';
import { fakeFile, hashedValues, openFake, tensorsOf, tinyOptions } from '../../test/support/weightFiles.ts';
import { initialParameter } from '../detector/init.ts';
import { buildRetinaNet, type RetinaNetOptions } from '../detector/network.ts';
import { initialiseFrom } from './initialise.ts';
import { formatInit, parseInit, startFrom } from './startingPoint.ts';

const head = 'head.classification_head.cls_logits';

/** As an executor has them before anything is loaded, but for the backbone: nobody looks at its millions here. */
function freshTensors(network: RetinaNetOptions, prior: number) {
  return buildRetinaNet(network).parameters.map((spec) => {
    const { name, shape } = spec;
    const isBody = name.startsWith('backbone.body.');
    return { name, shape, data: isBody ? new Float32Array() : initialParameter(spec, { seed: 1, prior }) };
  });
}

function start(tensors: Parameters<typeof fakeFile>[0], classes: readonly string[], meta?: unknown) {
  const { network, initial } = startFrom(openFake(fakeFile(tensors), meta), classes);
  return { network, result: initialiseFrom(initial, freshTensors(network, 0.02), classes) };
}

const dataOf = (tensors: readonly { name: string; data: Float32Array }[], name: string) =>
  tensors.find((tensor) => tensor.name === name)!.data;

describe('startFrom', () => {
  const whole = tensorsOf({ ...tinyOptions, backboneNorm: 'batch' });
  const rows = hashedValues(`${head}.bias`, [45]);

  it('replaces the class head for other classes, its bias at the prior, and keeps everything else', () => {
    const { network, result } = start(whole, ['RBC', 'WBC']);
    expect(network).toEqual({ ...tinyOptions, foregroundClassCount: 2 });
    for (const value of dataOf(result.tensors, `${head}.bias`))
      expect(value).toBeCloseTo(-Math.log(0.98 / 0.02), 6);
    const fresh = freshTensors(network, 0.02);
    expect(dataOf(result.tensors, `${head}.weight`)).toEqual(dataOf(fresh, `${head}.weight`));
    for (const { name, shape, data } of result.tensors) {
      if (!name.startsWith(head)) expect(data === hashedValues(name, shape), name).toBe(true);
    }
    expect(result).toMatchObject({ taken: result.tensors.length - 2, classes: [] });
    expect(result.fresh).toEqual([`${head}.weight`, `${head}.bias`]);
    expect(result.notes.join(' ')).toContain('5 columns for 2 classes, replaced by a fresh one.');
  });

  it('takes as many columns as there are classes as they stand', () => {
    const { result } = start(whole, ['a', 'b', 'c', 'd', 'e']);
    expect(dataOf(result.tensors, `${head}.bias`)).toEqual(rows);
    expect(result.classes).toHaveLength(5);
  });

  it('leaves the first of one more out: it is background', () => {
    const { result } = start(whole, ['a', 'b', 'c', 'd']);
    const expected = [...rows].filter((_, index) => index % 5 > 0);
    expect([...dataOf(result.tensors, `${head}.bias`)]).toEqual(expected);
  });

  it('keeps the rows of classes whose names both sides know', () => {
    const classes = ['RBC', 'WBC', 'Platelets', 'a', 'b'];
    const { result } = start(whole, ['Platelets', 'yeast'], { classes, network: tinyOptions });
    const bias = dataOf(result.tensors, `${head}.bias`);
    expect(bias[2 * 3]).toBe(rows[5 * 3 + 2]);
    expect(bias[2 * 3 + 1]).toBeCloseTo(-Math.log(0.98 / 0.02), 6);
    expect(result.notes).toContain('Class head: Platelets kept, yeast starts fresh.');
  });

  it('puts the usual detector around a backbone', () => {
    const body = whole.filter(({ name }) => name.startsWith('backbone.body.'));
    const classifier = body.map((tensor) => ({
      ...tensor,
      name: tensor.name.slice('backbone.body.'.length),
    }));
    const { network, result } = start(classifier, ['RBC']);
    expect(network).toMatchObject({ backbone: 'resnet18', foregroundClassCount: 1, backboneNorm: 'frozen' });
    expect(result.taken).toBe(body.length);
    expect(result.notes).toContain('Fresh: pyramid, class head, box head.');
  });
});

it('writes and reads what a config says of the start', () => {
  for (const source of [
    { kind: 'random' },
    { kind: 'run', runId: 'run-0003' },
    { kind: 'file', path: 'C:\\a:b.pth' },
    { kind: 'published', id: 'resnet18' },
  ] as const) {
    expect(parseInit(formatInit(source))).toEqual(source);
  }
});
