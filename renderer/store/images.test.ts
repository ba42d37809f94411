import { describe, expect, it } from 'vitest';
import { createImagesStore, needsReview, noFilter, passes } from './images.ts';
import { MemoryHost, testImage } from './testing/memoryHost.ts';

async function listOf(...states: ('unlabelled' | 'reviewed')[]) {
  const host = new MemoryHost();
  states.forEach((state, index) => {
    host.add(testImage(String(index), { state }));
  });
  const store = createImagesStore(host);
  await store.getState().load();
  return store;
}

describe('the image list', () => {
  it('opens the first image and walks to its neighbours', async () => {
    const store = await listOf('reviewed', 'reviewed', 'unlabelled');
    expect(store.getState().currentId).toBe('0');
    expect(store.getState().neighbour(1)).toBe('1');
    expect(store.getState().neighbour(-1)).toBeNull();
    expect(store.getState().neighbour(1, needsReview)).toBe('2');
  });

  it('keeps the open image in a filtered list until another is opened', async () => {
    const store = await listOf('unlabelled', 'unlabelled');
    store.getState().setFilter({ state: 'to-do' });
    store.getState().put([testImage('0', { state: 'reviewed' })]);
    expect(store.getState().visible).toEqual(['0', '1']);
    store.getState().openImage('1');
    expect(store.getState().visible).toEqual(['1']);
  });

  it('adds new images at the end and keeps the order of known ones', async () => {
    const store = await listOf('reviewed');
    store.getState().put([testImage('new'), testImage('0', { state: 'in-progress' })]);
    expect(store.getState().order).toEqual(['0', 'new']);
    expect(store.getState().byId.get('0')?.state).toBe('in-progress');
  });

  it('filters by state, proposals, split and part of the path', () => {
    const image = testImage('x', { relativePath: 'day 2/Cell_01.PNG', split: 'val', proposalCount: 3 });
    expect(passes(image, { ...noFilter, text: 'cell' })).toBe(true);
    expect(passes(image, { ...noFilter, text: 'dog' })).toBe(false);
    expect(passes(image, { ...noFilter, state: 'reviewed' })).toBe(false);
    expect(passes(image, { ...noFilter, state: 'to-do' })).toBe(true);
    expect(passes(image, { ...noFilter, split: 'train' })).toBe(false);
    expect(passes(image, { ...noFilter, split: 'val', withProposals: true })).toBe(true);
  });

  it('stays quick with a hundred thousand images', async () => {
    const store = await listOf('reviewed');
    store.getState().put(Array.from({ length: 100_000 }, (_, index) => testImage(`i${index}`)));
    const start = performance.now();
    store.getState().setFilter({ text: 'i9999' });
    expect(store.getState().visible).toHaveLength(12);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
