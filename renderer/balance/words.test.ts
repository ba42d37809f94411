import { describe, expect, it } from 'vitest';
import { shareText, whyHard } from './words.ts';

describe('shareText', () => {
  it('keeps two digits that mean something, and never rounds to all or nothing', () => {
    const texts = [0, 0.00001, 0.0042, 0.0761, 0.734, 0.9953, 0.99999, 1].map(shareText);
    expect(texts).toEqual([
      '0 %',
      'less than 0.01 %',
      '0.4 %',
      '7.6 %',
      '73 %',
      '99.5 %',
      'more than 99.9 %',
      '100 %',
    ]);
  });
});

describe('whyHard', () => {
  it('says what was taken for what', () => {
    const why = (side: string, probability: number) => whyHard({ side, class: 'RBC', probability });
    expect(why('backgroundTrue', 0.834)).toBe('background called RBC at 0.83');
    expect(why('backgroundOther', 0.5)).toBe('another class’s object called RBC at 0.50');
    expect(why('foreground', 0.04)).toBe('RBC missed: 0.04');
    expect(why('foreground', 0.62)).toBe('RBC, not sure: 0.62');
  });
});
