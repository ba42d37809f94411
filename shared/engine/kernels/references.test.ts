/** The references of the backward kernels against finite differences of the forward ones, which are read off their definitions. */
import { describe, expect, it } from 'vitest';
import { fnv1a32, uniformAt } from '../../domain/random.ts';
import type { BufferRef } from '../plan/call.ts';
import { type TensorView, wholeView } from '../plan/tensor.ts';
import { Memory } from './memory.ts';
import { referenceAffine, referenceAffineGradient } from './norms/affine.ts';
import { referenceFoldNorms } from './norms/foldNorms.ts';
import { referenceGroupNorm } from './norms/groupNorm.ts';
import { referenceGroupNormGradient } from './norms/groupNormGradient.ts';
import { referenceMaxPool } from './pooling/maxPool.ts';
import { referenceMaxPoolGradient } from './pooling/maxPoolGradient.ts';
import { referenceUpsample, referenceUpsampleGradient } from './pooling/upsample.ts';
import { imagesOf } from './rows.ts';

const channels = 4;
const tensor = (id: string, ...sides: readonly (readonly [number, number])[]): TensorView =>
  wholeView({
    id,
    batch: 2,
    levels: sides.map(([height, width]) => ({ height, width })),
    channels,
    storage: 'f32',
  });
const vector = (kind: 'weights' | 'gradients', index: number): BufferRef => ({
  kind,
  offsetWords: index * 64,
  words: channels,
});
const norm = (index: number) =>
  ({
    scale: { kind: 'state', id: 'norms', offsetWords: index * 64, words: channels },
    shift: { kind: 'state', id: 'norms', offsetWords: index * 64 + 64, words: channels },
  }) as const;

type Place = TensorView | BufferRef;
const read = (memory: Memory, place: Place) =>
  'tensor' in place ? memory.tensor(place) : memory.words(place);

function fill(values: Float32Array, name: string): void {
  values.forEach((_, at) => {
    values[at] = 2 * uniformAt(fnv1a32(name), at) - 0.8;
  });
}

/** What a loss of slopes `dy` at `y` gains for every value of `of`: the slope that `backward` has to find. */
function slopes(memory: Memory, forward: () => void, y: TensorView, dy: TensorView, of: Place): Float32Array {
  const loss = () => {
    forward();
    const [values, weights] = [memory.tensor(y), memory.tensor(dy)];
    let total = 0;
    for (const { firstRow, rows } of imagesOf(y)) {
      for (let at = firstRow * channels; at < (firstRow + rows) * channels; at++)
        total += values[at]! * weights[at]!;
    }
    return total;
  };
  const step = 1 / 1024;
  return Float32Array.from(read(memory, of), (value, at) => {
    const set = (to: number) => {
      read(memory, of)[at] = to;
    };
    set(value + step);
    const above = loss();
    set(value - step);
    const below = loss();
    set(value);
    return (above - below) / (2 * step);
  });
}

describe('the references of backward kernels', () => {
  const pyramid = [
    [3, 2],
    [2, 1],
  ] as const;
  const [x, y, dx, dy] = ['x', 'y', 'dx', 'dy'].map((id) => tensor(id, ...pyramid)) as [
    TensorView,
    TensorView,
    TensorView,
    TensorView,
  ];
  const target = { dx, add: null, mask: null };
  const [weight, bias] = [vector('weights', 0), vector('weights', 1)];
  const [weightGradient, biasGradient] = [vector('gradients', 0), vector('gradients', 1)];

  it('groupNorm', () => {
    const memory = new Memory();
    for (const place of [x, dy, weight, bias]) fill(read(memory, place), JSON.stringify(place));
    const shared = { x, groups: 2, weight, statistics: 'statistics' };
    const forward = () =>
      referenceGroupNorm(
        { ...shared, op: 'groupNorm', epsilon: 1e-3, bias, residual: null, relu: false, y },
        memory,
      );
    forward();
    referenceGroupNormGradient(
      { ...shared, op: 'groupNormGradient', dy, weightGradient, biasGradient, target },
      memory,
    );
    for (const [gradient, of] of [
      [dx, x],
      [weightGradient, weight],
      [biasGradient, bias],
    ] as const) {
      expectClose(read(memory, gradient), slopes(memory, forward, y, dy, of));
    }
  });

  it('affine, of a norm that learns', () => {
    const memory = new Memory();
    const [fixed, folded] = [norm(0), norm(2)];
    for (const place of [x, dy, weight, bias, fixed.scale, fixed.shift])
      fill(read(memory, place), JSON.stringify(place));
    const forward = () => {
      const { norms } = { norms: [{ channels, weight, bias, fixed, folded }] };
      referenceFoldNorms({ op: 'foldNorms', norms }, memory);
      referenceAffine({ op: 'affine', x, norm: folded, relu: false, y }, memory);
    };
    forward();
    const learnt = { weightGradient, biasGradient, fixed };
    referenceAffineGradient({ op: 'affineGradient', x, dy, norm: folded, learnt, target }, memory);
    for (const [gradient, of] of [
      [dx, x],
      [weightGradient, weight],
      [biasGradient, bias],
    ] as const) {
      expectClose(read(memory, gradient), slopes(memory, forward, y, dy, of));
    }
  });

  it.each([
    ['maxPool', [5, 4], [3, 2]],
    ['upsample', [3, 2], [6, 4]],
  ] as const)('%s', (name, input, output) => {
    const memory = new Memory();
    const [source, result, slope] = [tensor('x', input), tensor('y', output), tensor('dy', output)];
    for (const place of [source, slope]) fill(memory.tensor(place), place.tensor.id);
    const into = { dx: tensor('dx', input), add: null, mask: null };
    const forward = () => {
      if (name === 'maxPool') referenceMaxPool({ op: name, x: source, y: result }, memory);
      else referenceUpsample({ op: name, x: source, lateral: null, relu: false, y: result }, memory);
    };
    if (name === 'maxPool')
      referenceMaxPoolGradient({ op: 'maxPoolGradient', x: source, dy: slope, target: into }, memory);
    else referenceUpsampleGradient({ op: 'upsampleGradient', dy: slope, target: into }, memory);
    expectClose(memory.tensor(into.dx), slopes(memory, forward, result, slope, source));
  });

  it('maxPool: the first of equal maxima, row by row', () => {
    const memory = new Memory();
    const [source, slope] = [tensor('x', [3, 3]), tensor('dy', [2, 2])];
    memory.tensor(source).fill(1);
    memory.tensor(slope).fill(1);
    const into = { dx: tensor('dx', [3, 3]), add: null, mask: null };
    referenceMaxPoolGradient({ op: 'maxPoolGradient', x: source, dy: slope, target: into }, memory);
    const firstChannel = memory.tensor(into.dx).filter((_, at) => at % channels === 0);
    expect([...firstChannel.subarray(0, 9)]).toEqual([1, 1, 0, 1, 1, 0, 0, 0, 0]);
  });
});

function expectClose(ours: Float32Array, theirs: Float32Array): void {
  const scale = Math.max(...theirs.map(Math.abs));
  const worst = Math.max(...theirs.map((value, at) => Math.abs(value - ours[at]!)));
  expect(scale).toBeGreaterThan(0.1);
  expect(worst / scale).toBeLessThan(2e-3);
}
