import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../domain/random.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { sliceLoss } from './counterfactual.ts';
import { sides } from './histogram.ts';
import { addLogit, binSpread, emptyHistogram, sliceOf } from './histogramOps.ts';
import { decodeHistogram, encodeHistogram } from './histogramText.ts';

const logits = fc.array(
  fc.record({
    classIndex: fc.integer({ min: 0, max: 2 }),
    side: fc.constantFrom(...sides),
    xt: fc.double({ min: -18, max: 18, noNaN: true }),
    times: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(2 ** 40 + 1)),
  }),
  { maxLength: 40 },
);
const histograms = logits.map((list) => {
  const histogram = emptyHistogram(3);
  for (const { classIndex, side, xt, times } of list) addLogit(histogram, classIndex, side, xt, times);
  return histogram;
});

describe('a histogram as text', () => {
  it('comes back with every count, and places to a 65535th of a bin', () => {
    fc.assert(
      fc.property(histograms, (histogram) => {
        const text = encodeHistogram(histogram);
        const back = decodeHistogram(text);
        expect(back.foregroundClassCount).toBe(3);
        expect(back.counts).toEqual(histogram.counts);
        histogram.counts.forEach((count, index) => {
          if (count === 0) return;
          const [before, after] = [binSpread(histogram, index), binSpread(back, index)];
          expect(Math.abs(after.mean - before.mean)).toBeLessThan(1e-5);
          expect(Math.abs(after.deviation - before.deviation)).toBeLessThan(1e-3);
        });
        expect(encodeHistogram(back)).toBe(text);
      }),
    );
  });

  it('is short: an early run of three classes takes under 3 kB', () => {
    const histogram = emptyHistogram(3);
    const stream = new RandomStream('text');
    for (let draw = 0; draw < 60_000; draw++) {
      addLogit(histogram, draw % 3, 'backgroundTrue', 4.6 + stream.normal());
      if (draw % 100 === 0) addLogit(histogram, draw % 3, 'foreground', stream.normal() - 3);
    }
    const text = encodeHistogram(histogram);
    expect(text.length).toBeLessThan(3000);
    const settings = { alpha: 0.25, gamma: 5 };
    const loss = (of: typeof histogram) => sliceLoss(sliceOf(of, 'all', ['backgroundTrue']), false, settings);
    expect(Math.abs(loss(decodeHistogram(text)) / loss(histogram) - 1)).toBeLessThan(1e-5);
  });

  it('tells any damage', () => {
    const histogram = emptyHistogram(1);
    for (let xt = -16; xt < 16; xt += 0.31) addLogit(histogram, 0, 'backgroundTrue', xt, 1000);
    const text = encodeHistogram(histogram);
    const place = fc.integer({ min: 0, max: text.length - 1 });
    fc.assert(
      fc.property(place, fc.constantFrom('A', 'z', '7', '/', '=', ' ', 'é', ''), (at, other) => {
        fc.pre(text[at] !== other);
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        expect(() => decodeHistogram(changed)).toThrow(expect.objectContaining({ kind: 'damaged' }));
      }),
    );
    // 2^48 classes, closed by the checksum of these very bytes.
    const boundless = toBase64(Uint8Array.of(1, 128, 128, 128, 128, 128, 128, 64, 4, 48, 241, 218));
    for (const cut of [boundless, '', 'A', 'AAAA', text.slice(0, -4), `${text}AAAA`]) {
      expect(() => decodeHistogram(cut)).toThrow(expect.objectContaining({ kind: 'damaged' }));
    }
  });
});

it('base64 is that of everyone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      const text = toBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(text)).toEqual(bytes);
    }),
  );
});
