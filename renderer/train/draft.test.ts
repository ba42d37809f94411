import { beforeEach, describe, expect, it } from 'vitest';
import { defaultNetworkOptions } from '../../shared/detector/network.ts';
import { draftProblem, useDraft } from './draft.ts';
import { fromNothing, suggestionFor } from './suggestions.ts';

const loaded = suggestionFor({ network: defaultNetworkOptions('resnet50', 3, 'loaded') });

describe('the draft of a run', () => {
  beforeEach(() => useDraft.setState(useDraft.getInitialState()));

  it('takes smaller steps from weights with fixed norms, and goes back with the choice', () => {
    const { suggest } = useDraft.getState();
    suggest(loaded);
    expect(useDraft.getState().draft).toMatchObject(loaded);
    expect(loaded.learningRate).toBeLessThan(fromNothing.learningRate);
    suggest(fromNothing);
    expect(useDraft.getState().draft).toMatchObject(fromNothing);
  });

  it('leaves what a person typed', () => {
    const { set, suggest } = useDraft.getState();
    set({ learningRate: 0.02 });
    suggest(loaded);
    expect(useDraft.getState().draft).toMatchObject({ ...loaded, learningRate: 0.02 });
    suggest(fromNothing);
    expect(useDraft.getState().draft).toMatchObject({ ...fromNothing, learningRate: 0.02 });
  });

  it('says what cannot be computed, and what to do', () => {
    const { draft } = useDraft.getState();
    expect(draftProblem(draft)).toBeNull();
    const divided = draftProblem({ ...draft, loss: 'ohem', microBatch: 1 });
    expect(divided).toMatchObject({ field: 'GPU', message: expect.stringContaining('images at once: 0') });
    expect(draftProblem({ ...draft, engine: 'reference', precision: 'mixed' })).toMatchObject({
      field: 'GPU',
    });
  });

  it('asks nothing else of a run that starts from GroupNorm', () => {
    expect(suggestionFor({ network: defaultNetworkOptions('nano', 3) })).toEqual(fromNothing);
    expect(suggestionFor(null)).toEqual(fromNothing);
  });
});
