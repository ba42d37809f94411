import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { units } from '../../test/support/fixtures.ts';
import { fnv1a32, RandomStream, shuffledIndices, uniformAt } from './random.ts';

describe('fnv1a32', () => {
  it('has the published values, over UTF-8', () => {
    expect(fnv1a32('')).toBe(0x811c9dc5);
    expect(fnv1a32('a')).toBe(0xe40c292c);
    expect(fnv1a32('foobar')).toBe(0xbf9cf968);
  });

  it('encodes names as TextEncoder does', () => {
    const slow = (name: string) =>
      new TextEncoder()
        .encode(name)
        .reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => fnv1a32(name) === slow(name)));
  });
});

describe('uniformAt', () => {
  it("makes the reference fixtures' numbers from their names", () => {
    const stream = fnv1a32(`${units.hash_prefix}units.logits`);
    units.focal.logits.forEach((expected, index) => {
      const value = Math.fround((uniformAt(stream, index) * 2 - 1) * 6);
      expect(Number(value.toPrecision(8))).toBe(expected);
    });
  });

  it('lies in [0, 1) and spreads evenly', () => {
    const stream = fnv1a32('spread');
    const bins = new Array<number>(10).fill(0);
    for (let index = 0; index < 100_000; index++) {
      const value = uniformAt(stream, index);
      if (value < 0 || value >= 1) throw new Error(`${value} at ${index}`);
      bins[Math.floor(value * 10)]!++;
    }
    for (const count of bins) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

describe('RandomStream', () => {
  it('is its name and position: the same again, and from where it stood', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat({ max: 50 }), (name, skip) => {
        const stream = new RandomStream(name);
        for (let index = 0; index < skip; index++) stream.uniform();
        const restored = new RandomStream(name, stream.position);
        expect(stream.position).toBe(skip);
        expect([restored.uniform(), restored.normal(), restored.integer(7)]).toEqual([
          stream.uniform(),
          stream.normal(),
          stream.integer(7),
        ]);
        expect(restored.position).toBe(stream.position);
      }),
    );
  });

  it('gives other streams other numbers', () => {
    const draw = (name: string) =>
      Array.from({ length: 8 }, RandomStream.prototype.uniform, new RandomStream(name));
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
  });

  it('draws whole numbers below the count and normals of mean 0 and deviation 1', () => {
    const stream = new RandomStream('normal');
    let [sum, squares] = [0, 0];
    for (let index = 0; index < 20_000; index++) {
      const value = stream.normal();
      sum += value;
      squares += value * value;
    }
    expect(Math.abs(sum / 20_000)).toBeLessThan(0.03);
    expect(Math.abs(squares / 20_000 - 1)).toBeLessThan(0.05);
    const faces = new Set(Array.from({ length: 500 }, () => stream.integer(6)));
    expect([...faces].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    for (let index = 0; index < 100; index++) {
      const value = stream.between(-2, 3);
      expect(value >= -2 && value < 3).toBe(true);
    }
  });
});

describe('shuffledIndices', () => {
  it('is a permutation, the same for the same stream', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat({ max: 60 }), (name, count) => {
        const order = shuffledIndices(new RandomStream(name), count);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
        expect(shuffledIndices(new RandomStream(name), count)).toEqual(order);
      }),
    );
  });

  it('puts every index at every place alike', () => {
    const stream = new RandomStream('fair');
    const firsts = new Array<number>(5).fill(0);
    for (let round = 0; round < 5000; round++) firsts[shuffledIndices(stream, 5)[0]!]!++;
    for (const count of firsts) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });
});
