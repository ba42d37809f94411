import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoxPx, BoxRecord } from './box.ts';
import { applyEdit, type BoxChange, type Edit, reverseEdit } from './edit.ts';
import type { ImageState } from './image.ts';

function box(id: string, boxPx: BoxPx = [0, 0, 1, 1]): BoxRecord {
  return {
    id,
    imageId: 'image',
    classId: 1,
    boxPx,
    status: 'label',
    origin: 'person',
    score: null,
    runId: null,
    ignore: false,
    difficult: false,
    occluded: false,
    truncated: false,
  };
}

const edit = (boxes: BoxChange[], state: Edit['state'] = null): Edit => ({
  imageId: 'image',
  label: 'Edit',
  boxes,
  state,
});

const byId = (boxes: readonly BoxRecord[]) => [...boxes].sort((a, b) => (a.id < b.id ? -1 : 1));

describe('applyEdit', () => {
  const [a, b, c] = [box('a'), box('b'), box('c')];

  it('adds last, changes in place and removes', () => {
    const moved = { ...a, boxPx: [5, 5, 9, 9] as const };
    expect(applyEdit([a, b], edit([{ before: null, after: c }]))).toEqual([a, b, c]);
    expect(applyEdit([a, b], edit([{ before: a, after: moved }]))).toEqual([moved, b]);
    expect(applyEdit([a, b], edit([{ before: a, after: null }]))).toEqual([b]);
  });

  it('replaces one box by another', () => {
    expect(applyEdit([a, b], edit([{ before: a, after: c }]))).toEqual([b, c]);
  });

  it('adds a changed box again where it is gone, and removes nothing twice', () => {
    expect(applyEdit([b], edit([{ before: a, after: a }]))).toEqual([b, a]);
    expect(applyEdit([b], edit([{ before: a, after: null }]))).toEqual([b]);
  });

  it('leaves what it was given as it was', () => {
    const boxes = [a, b];
    applyEdit(boxes, edit([{ before: a, after: null }]));
    expect(boxes).toEqual([a, b]);
  });
});

describe('reverseEdit', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const side = fc.integer({ min: 0, max: 99 });
  const boxPx = fc.tuple(side, side, side, side);
  const fate = fc.constantFrom('keep', 'remove', 'change', 'add', 'absent');
  const scene = fc.array(fc.record({ fate, before: boxPx, after: boxPx }), {
    minLength: ids.length,
    maxLength: ids.length,
  });

  it('undoes any edit, and undoing the undo does it again', () => {
    fc.assert(
      fc.property(scene, (entries) => {
        const boxes: BoxRecord[] = [];
        const changes: BoxChange[] = [];
        entries.forEach(({ fate, before, after }, index) => {
          const [old, next] = [box(ids[index]!, before), box(ids[index]!, after)];
          if (fate === 'keep' || fate === 'remove' || fate === 'change') boxes.push(old);
          if (fate === 'remove') changes.push({ before: old, after: null });
          if (fate === 'change') changes.push({ before: old, after: next });
          if (fate === 'add') changes.push({ before: null, after: next });
        });
        const done = edit(changes);
        const after = applyEdit(boxes, done);
        const undone = applyEdit(after, reverseEdit(done));
        expect(byId(undone)).toEqual(byId(boxes));
        expect(byId(applyEdit(undone, reverseEdit(reverseEdit(done))))).toEqual(byId(after));
      }),
    );
  });

  it('undoes changes to one box in the opposite order', () => {
    const steps = [box('a', [0, 0, 1, 1]), box('a', [0, 0, 2, 2]), box('a', [0, 0, 3, 3])];
    const twice = edit([
      { before: steps[0]!, after: steps[1]! },
      { before: steps[1]!, after: steps[2]! },
    ]);
    expect(applyEdit([steps[2]!], reverseEdit(twice))).toEqual([steps[0]]);
  });

  it('turns the state around, and is its own opposite', () => {
    const change = { before: 'unlabelled', after: 'reviewed' } satisfies Record<string, ImageState>;
    const done = edit([{ before: null, after: box('a') }], change);
    expect(reverseEdit(done).state).toEqual({ before: 'reviewed', after: 'unlabelled' });
    expect(reverseEdit(reverseEdit(done))).toEqual(done);
    expect(reverseEdit(edit([])).state).toBeNull();
  });
});
