import { describe, expect, it } from 'vitest';
import { sliceLoss } from '../../../shared/loss/counterfactual.ts';
import { addLogit, emptyHistogram, sliceOf } from '../../../shared/loss/histogramOps.ts';
import { carriedByHardest, concentrationSentence } from './readOut.ts';

/** 99 easy negatives and a hard one. */
function background() {
  const histogram = emptyHistogram(1);
  addLogit(histogram, 0, 'backgroundTrue', 4, 99);
  addLogit(histogram, 0, 'backgroundTrue', -2);
  return sliceOf(histogram, 'all', ['backgroundTrue', 'backgroundOther']);
}

describe('carriedByHardest', () => {
  it('is the hard one’s part of the loss', () => {
    const hard = emptyHistogram(1);
    addLogit(hard, 0, 'backgroundTrue', -2);
    for (const gamma of [0, 2]) {
      const settings = { alpha: -1, gamma };
      const part = sliceLoss(sliceOf(hard, 'all', ['backgroundTrue']), false, settings);
      const all = sliceLoss(background(), false, settings);
      expect(carriedByHardest(background(), gamma, 0.01)).toBeCloseTo(part / all, 6);
    }
  });

  it('is nothing where nothing was counted', () => {
    const empty = sliceOf(emptyHistogram(1), 'all', ['foreground']);
    expect(carriedByHardest(empty, 2, 0.01)).toBeNull();
    expect(concentrationSentence(empty, 2)).toBe('No background was counted here.');
  });
});

describe('concentrationSentence', () => {
  it('reads the curve out, and what it would be without gamma', () => {
    expect(concentrationSentence(background(), 2)).toBe(
      'Under γ 2 the hardest 1 % of background answers carry more than 99.9 % of the background’s loss; under cross-entropy they would carry 54 %.',
    );
    expect(concentrationSentence(background(), 0)).toBe(
      'Under cross-entropy the hardest 1 % of background answers carry 54 % of the background’s loss.',
    );
  });
});
