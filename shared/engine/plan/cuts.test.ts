import { describe, expect, it } from 'vitest';
import type { ParameterSpec } from '../../detector/graph.ts';
import { buildRetinaNet, defaultNetworkOptions } from '../../detector/network.ts';
import type { BufferRef } from './call.ts';
import { cut, cutWords, pieceWords } from './cuts.ts';
import { layoutParameters } from './parameters.ts';

const range = (offsetWords: number, words: number): BufferRef => ({ kind: 'weights', offsetWords, words });

describe('a cut', () => {
  it('is at the multiples of its length, whatever the range begins with', () => {
    expect(cut(range(0, 200), 200)).toEqual([range(0, 200)]);
    expect(cut(range(64, 400), 128)).toEqual([
      range(64, 64),
      range(128, 128),
      range(256, 128),
      range(384, 80),
    ]);
    expect(cut(range(0, 1e9), Number.POSITIVE_INFINITY)).toEqual([range(0, 1e9)]);
    expect(cut(range(64, 0), 128)).toEqual([range(64, 0)]);
  });

  it('is as long as a binding may be, and never across two buffers', () => {
    const guaranteed = { maxBufferBytes: 2 ** 28, maxBindingBytes: 2 ** 27 };
    expect([cutWords(guaranteed), pieceWords(guaranteed)]).toEqual([2 ** 25, 2 ** 26]);
    const odd = { maxBufferBytes: 2 ** 32 - 1, maxBindingBytes: 3e8 };
    expect(cutWords(odd) % 64).toBe(0);
    expect(pieceWords(odd) % cutWords(odd)).toBe(0);
    expect(pieceWords({ maxBufferBytes: 2 ** 20, maxBindingBytes: 2 ** 30 })).toBe(2 ** 18);
  });
});

describe('parameters in pieces', () => {
  const isVector = ({ shape }: ParameterSpec) => shape.length === 1;

  it.each([10e6, 3e6])('lie in one piece each, of %i words, and all vectors together', (words) => {
    const piece = Math.floor(words / 64) * 64;
    const loaded = defaultNetworkOptions('resnet18', 3, 'loaded');
    const { parameters } = buildRetinaNet({ ...loaded, fpnChannels: 64, backboneNorm: 'batch' });
    const layout = layoutParameters(parameters, piece);
    const slots = [...layout.slots.values()].sort((a, b) => a.offsetWords - b.offsetWords);
    expect(slots.length).toBeGreaterThan(60);
    slots.forEach(({ offsetWords, words: own }, index) => {
      const pieceOf = (at: number) => Math.floor(at / piece);
      expect(pieceOf(offsetWords)).toBe(pieceOf(offsetWords + own - 1));
      const next = slots[index + 1]?.offsetWords ?? layout.words;
      expect(offsetWords + own).toBeLessThanOrEqual(next);
    });
    const vectors = slots.map(({ spec }) => isVector(spec));
    expect(vectors.lastIndexOf(true) - vectors.indexOf(true)).toBe(vectors.filter(Boolean).length - 1);
    const [first, last] = [slots[vectors.indexOf(true)]!, slots[vectors.lastIndexOf(true)]!];
    expect(Math.floor(first.offsetWords / piece)).toBe(Math.floor(last.offsetWords / piece));
    for (const { spec, offsetWords } of slots) {
      expect(offsetWords < layout.trainableWords).toBe(spec.trainable);
      if (spec.trainable) expect(offsetWords >= layout.matrixWords).toBe(isVector(spec));
    }
  });
});
