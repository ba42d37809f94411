import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitText, textWidthPx, valueText, wrapText } from './words.ts';

describe('valueText', () => {
  it('reads four digits where they say something', () => {
    expect([0, 0.31234, 12.3456, 123456, -0.5].map((value) => valueText(value, 'number'))).toEqual([
      '0',
      '0.3123',
      '12.35',
      '123,456',
      '−0.5',
    ]);
    expect(valueText(0.0000123, 'number')).toBe('1.23×10⁻⁵');
    expect(valueText(3.2e9, 'number')).toBe('3.2×10⁹');
    expect(valueText(0.98765, 'percent')).toBe('98.8%');
    expect(valueText(1.5e-9, 'percent')).toBe('<0.001%');
    expect(valueText(1234.4, 'integer')).toBe('1,234');
    expect(valueText(Number.NaN, 'number')).toBe('–');
  });
});

describe('wrapping', () => {
  it('breaks at spaces and after hyphens, and holds what a hard space holds', () => {
    expect(wrapText('cross-entropy, π\u00a00.01', 11, 45)).toEqual(['cross-', 'entropy,', 'π\u00a00.01']);
  });

  it('loses no word, and is no wider than asked', () => {
    const text = fc
      .array(fc.stringMatching(/^[a-zé-]{1,9}$/), { maxLength: 20 })
      .map((words) => words.join(' '));
    fc.assert(
      fc.property(text, fc.integer({ min: 80, max: 400 }), (sentence, widthPx) => {
        const lines = wrapText(sentence, 12, widthPx);
        for (const line of lines) expect(textWidthPx(line, 12)).toBeLessThanOrEqual(widthPx);
        expect(lines.join('').replaceAll(' ', '')).toBe(sentence.replaceAll(' ', ''));
      }),
    );
  });

  it('cuts what is too wide', () => {
    const cut = fitText('a class with a rather long name', 12, 80);
    expect(cut).toMatch(/^a class.*…$/);
    expect(textWidthPx(cut, 12)).toBeLessThanOrEqual(80);
  });
});
