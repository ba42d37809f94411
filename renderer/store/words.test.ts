import { describe, expect, it } from 'vitest';
import { apText, bytesText, countWords, durationText, parametersText, rateText } from './words.ts';

describe('durationText', () => {
  it('is as exact as a guess may be', () => {
    expect([3, 40, 90, 3600, 4800, 400_000].map(durationText)).toEqual([
      'a few seconds',
      'under a minute',
      'about 2 min',
      'about 1 h',
      'about 1 h 20 min',
      'about 5 days',
    ]);
  });
});

describe('numbers', () => {
  it('keep three digits', () => {
    expect([0.834, 12.41, 1240.2].map(rateText)).toEqual(['0.83', '12.4', '1,240']);
    expect([451_234, 18_212_345, 12].map(parametersText)).toEqual(['451 K', '18.2 M', '12']);
  });

  it('agree with their nouns', () => {
    expect([0, 1, 1200].map((count) => countWords(count, 'image'))).toEqual([
      '0 images',
      '1 image',
      '1,200 images',
    ]);
  });

  it('say nothing of an AP that is not there', () => {
    expect([null, -1, 0, 0.4123].map(apText)).toEqual(['–', '–', '0.0', '41.2']);
  });

  it('count bytes as file managers do', () => {
    expect([0, 812_345, 4_240_000, 136_595_076, 2_000_000_000].map(bytesText)).toEqual([
      '0 KB',
      '812 KB',
      '4.2 MB',
      '137 MB',
      '2.0 GB',
    ]);
  });
});
