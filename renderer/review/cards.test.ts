import { describe, expect, it } from 'vitest';
import type { BoxRecord } from '../../shared/domain/box.ts';
import type { ImageRecord } from '../../shared/domain/image.ts';
import { acceptAllChanges, countByClass, imagesInScope, meanScore, sortCards } from './cards.ts';

const image = (id: string, changes: Partial<ImageRecord> = {}): ImageRecord => ({
  id,
  relativePath: `${id}.jpg`,
  contentHash: id,
  widthPx: 100,
  heightPx: 100,
  state: 'unlabelled',
  split: null,
  missing: false,
  labelCount: 0,
  proposalCount: 1,
  ...changes,
});
const proposal = (id: string, score: number, classId = 1): BoxRecord => ({
  id,
  imageId: 'a',
  classId,
  boxPx: [0, 0, 10, 10],
  status: 'proposal',
  origin: 'model',
  score,
  runId: 'run-0001',
  ignore: false,
  difficult: false,
  occluded: false,
  truncated: false,
});
const ids = (images: readonly ImageRecord[]) => images.map(({ id }) => id);

describe('sortCards', () => {
  const images = [
    image('img10', { proposalCount: 2 }),
    image('img2', { proposalCount: 5 }),
    image('none', { proposalCount: 0 }),
    image('img3', { proposalCount: 1 }),
  ];
  const proposals = new Map([
    ['img10', [proposal('p', 0.9), proposal('q', 0.7)]],
    ['img2', [proposal('r', 0.4)]],
  ]);
  const of = (id: string) => proposals.get(id);

  it('shows only images with proposals, the fullest first', () => {
    expect(ids(sortCards(images, of, 'most'))).toEqual(['img2', 'img10', 'img3']);
  });

  it('puts the least certain first and those not read yet last', () => {
    expect(ids(sortCards(images, of, 'uncertain'))).toEqual(['img2', 'img10', 'img3']);
  });

  it('reads numbers in names as numbers', () => {
    expect(ids(sortCards(images, of, 'file'))).toEqual(['img2', 'img3', 'img10']);
  });
});

describe('a card', () => {
  it('tells counts and certainty', () => {
    const proposals = [proposal('a', 0.9, 2), proposal('b', 0.5, 1), proposal('c', 0.7, 2)];
    expect(meanScore(proposals)).toBeCloseTo(0.7, 12);
    expect(countByClass(proposals)).toEqual([
      { classId: 2, count: 2 },
      { classId: 1, count: 1 },
    ]);
    expect(meanScore([])).toBeNull();
  });

  it('accepts without forgetting that a model drew the box', () => {
    const [change] = acceptAllChanges([proposal('a', 0.9)]);
    expect(change?.before?.status).toBe('proposal');
    expect(change?.after).toMatchObject({ status: 'label', origin: 'model', score: 0.9, runId: 'run-0001' });
  });
});

describe('imagesInScope', () => {
  it('takes what is asked for and never a missing file', () => {
    const images = [
      image('new'),
      image('begun', { state: 'in-progress' }),
      image('done', { state: 'reviewed' }),
      image('gone', { missing: true }),
    ];
    expect(ids(imagesInScope(images, 'unlabelled'))).toEqual(['new']);
    expect(ids(imagesInScope(images, 'not-reviewed'))).toEqual(['new', 'begun']);
    expect(ids(imagesInScope(images, 'all'))).toEqual(['new', 'begun', 'done']);
  });
});
