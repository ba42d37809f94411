import { beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../../shared/domain/problem.ts';
import { type CanvasStore, createCanvasStore, followImageList, shownProposals } from './canvas.ts';
import { createImagesStore } from './images.ts';
import { ManualClock, MemoryHost, settled, testBox, testImage } from './testing/memoryHost.ts';

describe('the open image', () => {
  let host: MemoryHost;
  let clock: ManualClock;
  let canvas: CanvasStore;
  let images: ReturnType<typeof createImagesStore>;
  let problems: string[];

  beforeEach(async () => {
    host = new MemoryHost();
    clock = new ManualClock();
    problems = [];
    host.add(testImage('a'), [testBox('one', 'a')]);
    host.add(testImage('b'));
    images = createImagesStore(host);
    canvas = createCanvasStore({
      client: host,
      after: clock.after,
      onImage: (image) => images.getState().put([image]),
      onProblem: (error) => problems.push((error as Problem).message),
    });
    followImageList(canvas, images);
    await images.getState().load();
    await settled();
  });

  const now = () => canvas.getState();
  const draw = (id: string) =>
    now().apply('Draw box', [{ before: null, after: testBox(id, now().imageId!) }]);

  it('opens the first image of the list', () => {
    expect(now()).toMatchObject({ phase: 'ready', imageId: 'a' });
    expect(now().boxes.map(({ id }) => id)).toEqual(['one']);
  });

  it('shows an edit at once and keeps it once saved', async () => {
    draw('two');
    expect(now().boxes.map(({ id }) => id)).toEqual(['one', 'two']);
    expect(now().save.status).toBe('saving');
    expect(now().history.undo).toBe('Draw box');
    await settled();
    expect(now().boxes.map(({ id }) => id)).toEqual(['one', 'two']);
    expect(now().save.status).toBe('saved');
  });

  it('turns an unlabelled image into one in progress with its first label, in the list too', async () => {
    images.getState().openImage('b');
    await settled();
    draw('first');
    expect(now().image?.state).toBe('in-progress');
    await settled();
    expect(images.getState().byId.get('b')).toMatchObject({ state: 'in-progress', labelCount: 1 });
  });

  it('undoes and redoes through the host, across images and reloads', async () => {
    draw('two');
    await settled();
    images.getState().openImage('b');
    await settled();
    images.getState().openImage('a');
    await settled();
    now().undo();
    await settled();
    expect(now().boxes.map(({ id }) => id)).toEqual(['one']);
    expect(now().history).toEqual({ undo: null, redo: 'Draw box' });
    now().redo();
    await settled();
    expect(now().boxes.map(({ id }) => id)).toEqual(['one', 'two']);
  });

  it('undoes an edit made a moment ago that is still on its way', async () => {
    draw('two');
    now().undo();
    await settled();
    expect(now().boxes.map(({ id }) => id)).toEqual(['one']);
    expect(now().save.status).toBe('saved');
  });

  it('keeps unsaved edits while another image is open and shows them on return', async () => {
    host.fault = new Problem('disk-full', 'The disk is full.', 'Make room.');
    draw('two');
    await settled();
    host.fault = null;
    images.getState().openImage('b');
    await settled();
    expect(now().boxes).toEqual([]);
    images.getState().openImage('a');
    await settled();
    expect(now().boxes.map(({ id }) => id)).toEqual(['one', 'two']);
    expect(now().save.status).toBe('failed');
    await clock.pass(1000);
    await settled();
    expect(now().save.status).toBe('saved');
    expect(host.images.get('a')!.boxes).toHaveLength(2);
  });

  it('reads the image again after a conflict, with a message', async () => {
    host.images.get('a')!.boxes = [];
    const [box] = now().boxes;
    now().apply('Delete box', [{ before: box!, after: null }]);
    await settled();
    await settled();
    expect(problems).toEqual(['The box was changed elsewhere.']);
    expect(now().boxes).toEqual([]);
  });

  it('reads boxes again that were changed behind its back', async () => {
    const proposal = testBox('p', 'a', { status: 'proposal', origin: 'model', score: 0.9 });
    host.add(testImage('a'), [testBox('one', 'a'), proposal]);
    images.getState().put([host.images.get('a')!.image]);
    await settled();
    expect(now().boxes.map(({ id }) => id)).toEqual(['one', 'p']);
  });

  it('takes a confirmation back that the labels no longer bear out', async () => {
    host.add(testImage('a', { state: 'reviewed' }), [testBox('one', 'a')]);
    await now().reload();
    now().apply('Delete box', [{ before: now().boxes[0]!, after: null }]);
    expect(now().image?.state).toBe('in-progress');
  });

  it('lets go of a selection whose box is gone', async () => {
    now().select('one');
    now().apply('Delete box', [{ before: now().boxes[0]!, after: null }]);
    expect(now().selectedId).toBeNull();
  });
});

describe('shown proposals', () => {
  it('are those at least as sure as asked for, and never labels', () => {
    const sure = testBox('sure', 'a', { status: 'proposal', score: 0.8 });
    const unsure = testBox('unsure', 'a', { status: 'proposal', score: 0.3 });
    expect(shownProposals([testBox('label', 'a'), sure, unsure], 0.5)).toEqual([sure]);
  });
});
