import { expect, it } from 'vitest';
import type { FrozenNormNode } from '../../detector/graph.ts';
import { layoutNorms, normWords } from './norms.ts';

it('lays out fixed norms whole, and of learnt ones what their statistics do', () => {
  const node = (prefix: string, learns: boolean): FrozenNormNode => ({
    op: 'frozenNorm',
    id: prefix,
    input: 'images',
    channels: 3,
    epsilon: 0.25,
    prefix,
    learns,
  });
  const table = layoutNorms([node('fixed', false), node('learnt', true), node('fixed', false)]);
  expect([...table.entries.keys()]).toEqual(['fixed', 'learnt']);
  const buffers: Record<string, number[]> = {
    weight: [2, 3, 4],
    bias: [1, 0, -1],
    running_mean: [1, 2, 3],
    running_var: [0, 0.75, 3.75],
  };
  const words = normWords(table, (name) => Float32Array.from(buffers[name.split('.')[1]!]!));
  const { fixed, learnt } = Object.fromEntries(table.entries);
  const at = ({ offsetWords }: { offsetWords: number }) => [...words.subarray(offsetWords, offsetWords + 4)];
  expect([at(fixed!.folded.scale), at(fixed!.folded.shift)]).toEqual([
    [4, 3, 2, 0],
    [-3, -6, -7, 0],
  ]);
  expect([at(learnt!.fixed.scale), at(learnt!.fixed.shift)]).toEqual([
    [2, 1, 0.5, 0],
    [-2, -2, -1.5, 0],
  ]);
  expect(at(learnt!.folded.scale)).toEqual([0, 0, 0, 0]);
  expect(words.length).toBe(6 * 64);
});
