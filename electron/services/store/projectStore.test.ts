import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  added,
  changed,
  edit,
  kindOf,
  labelBox,
  newImage,
  problemIn,
  removed,
  testProject,
} from '../../../test/durability/testProject.ts';
import { ProjectStore } from './projectStore.ts';

describe('edits', () => {
  it('stores boxes as they were drawn and journals them', () => {
    const { store, image, classId } = testProject();
    const box = { ...labelBox(image.id, classId, 'a', [1.25, 2, 30, 40.5]), occluded: true, difficult: true };
    store.applyEdits([edit(image.id, 'Draw box', [added(box)])]);
    expect(store.boxesOf(image.id)).toEqual([box]);
    expect(store.image(image.id)).toMatchObject({ labelCount: 1, proposalCount: 0, state: 'unlabelled' });
    expect(store.history(image.id)).toEqual({ undo: 'Draw box', redo: null });
  });

  it('refuses an edit whose `before` is not what is stored, and changes nothing', () => {
    const { store, image, classId } = testProject();
    const box = labelBox(image.id, classId, 'a', [0, 0, 10, 10]);
    const moved = { ...box, boxPx: [5, 5, 15, 15] as const };
    store.applyEdits([edit(image.id, 'Draw box', [added(box)])]);
    store.applyEdits([edit(image.id, 'Move box', [changed(box, moved)])]);
    const other = labelBox(image.id, classId, 'b', [20, 20, 30, 30]);
    const stale = edit(image.id, 'Two boxes', [added(other), changed(box, { ...box, boxPx: [1, 1, 2, 2] })]);
    expect(kindOf(() => store.applyEdits([stale]))).toBe('conflict');
    expect(kindOf(() => store.applyEdits([edit(image.id, 'Delete', [removed(box)])]))).toBe('conflict');
    expect(kindOf(() => store.applyEdits([edit(image.id, 'Draw', [added(box)])]))).toBe('conflict');
    const state = { before: 'reviewed', after: 'in-progress' } as const;
    expect(kindOf(() => store.applyEdits([edit(image.id, 'State', [], state)]))).toBe('conflict');
    expect(store.boxesOf(image.id)).toEqual([moved]);
    expect(store.history(image.id).undo).toBe('Move box');
  });

  it('takes several changes of one box in one edit', () => {
    const { store, image, classId } = testProject();
    const box = labelBox(image.id, classId, 'a', [0, 0, 10, 10]);
    const moved = { ...box, boxPx: [5, 5, 15, 15] as const };
    store.applyEdits([edit(image.id, 'Draw and move', [added(box), changed(box, moved)])]);
    expect(store.boxesOf(image.id)).toEqual([moved]);
    store.undo(image.id);
    expect(store.boxesOf(image.id)).toEqual([]);
  });

  it('applies all edits of a call or none', () => {
    const { store, image, classId } = testProject();
    const good = edit(image.id, 'Draw', [added(labelBox(image.id, classId, 'a', [0, 0, 9, 9]))]);
    const bad = edit(image.id, 'Draw', [added(labelBox(image.id, 99, 'b', [0, 0, 9, 9]))]);
    expect(kindOf(() => store.applyEdits([good, bad]))).toBe('bad-input');
    expect(store.boxesOf(image.id)).toEqual([]);
    expect(store.history(image.id)).toEqual({ undo: null, redo: null });
  });

  it('cuts a box at the edge of its image, and still knows it by its uncut form', () => {
    const { store, image, classId } = testProject();
    const over = labelBox(image.id, classId, 'a', [-5, 70, 20, 200]);
    store.applyEdits([edit(image.id, 'Draw', [added(over)])]);
    expect(store.boxesOf(image.id)[0]!.boxPx).toEqual([0, 70, 20, 80]);
    store.applyEdits([edit(image.id, 'Delete', [removed(over)])]);
    expect(store.boxesOf(image.id)).toEqual([]);
  });

  it.each([
    ['outside its image', [200, 10, 220, 20], 'lies outside the image (100 x 80 px)'],
    ['without area', [10, 10, 10, 20], 'has no area'],
    ['with crossed corners', [20, 10, 10, 20], 'has no area'],
    ['not a number', [Number.NaN, 0, 1, 1], 'not a number'],
  ] as const)('refuses a box %s in a sentence', (_, boxPx, words) => {
    const { store, image, classId } = testProject();
    const draw = edit(image.id, 'Draw', [added(labelBox(image.id, classId, 'a', boxPx))]);
    const problem = problemIn(() => store.applyEdits([draw]));
    expect(problem.kind).toBe('bad-input');
    expect(problem.message).toContain('one.png');
    expect(problem.message).toContain(words);
  });

  it('refuses a box of another image and an unknown image', () => {
    const { store, path, image, classId } = testProject();
    const [second] = store.addImages([newImage(join(path, 'images'), 'two.png')]);
    const foreign = added(labelBox(second!.id, classId, 'a', [0, 0, 9, 9]));
    expect(kindOf(() => store.applyEdits([edit(image.id, 'Draw', [foreign])]))).toBe('bad-input');
    expect(kindOf(() => store.applyEdits([edit('nowhere', 'Draw', [])]))).toBe('bad-input');
  });
});

describe('states', () => {
  it('says what the user says', () => {
    const { store, image, classId } = testProject();
    const draw = [added(labelBox(image.id, classId, 'a', [0, 0, 9, 9]))];
    store.applyEdits([edit(image.id, 'Draw', draw, { before: 'unlabelled', after: 'in-progress' })]);
    expect(store.image(image.id).state).toBe('in-progress');
    store.applyEdits([edit(image.id, 'Reviewed', [], { before: 'in-progress', after: 'reviewed' })]);
    expect(store.image(image.id).state).toBe('reviewed');
    store.undo(image.id);
    expect(store.image(image.id).state).toBe('in-progress');
  });

  it('takes "reviewed" without labels for reviewed empty', () => {
    const { store, image } = testProject();
    store.applyEdits([edit(image.id, 'Reviewed', [], { before: 'unlabelled', after: 'reviewed' })]);
    expect(store.image(image.id).state).toBe('reviewed-empty');
  });

  it('refuses "reviewed empty" while labels are there', () => {
    const { store, image, classId } = testProject();
    store.applyEdits([edit(image.id, 'Draw', [added(labelBox(image.id, classId, 'a', [0, 0, 9, 9]))])]);
    const empty = edit(image.id, 'Nothing here', [], { before: 'unlabelled', after: 'reviewed-empty' });
    expect(problemIn(() => store.applyEdits([empty])).message).toContain('still has 1 label');
  });

  it('asks for another look when a review no longer fits the labels, and undo restores it', () => {
    const { store, image, classId } = testProject();
    const box = labelBox(image.id, classId, 'a', [0, 0, 9, 9]);
    store.applyEdits([edit(image.id, 'Nothing here', [], { before: 'unlabelled', after: 'reviewed-empty' })]);
    store.applyEdits([edit(image.id, 'Draw', [added(box)])]);
    expect(store.image(image.id).state).toBe('in-progress');
    store.undo(image.id);
    expect(store.image(image.id)).toMatchObject({ state: 'reviewed-empty', labelCount: 0 });
  });
});

describe('undo and redo', () => {
  it('goes back and forth across a restart', () => {
    const { store, path, image, classId } = testProject();
    const a = labelBox(image.id, classId, 'a', [0, 0, 9, 9]);
    const b = { ...labelBox(image.id, classId, 'b', [5, 5, 20, 20]), truncated: true };
    store.applyEdits([edit(image.id, 'Draw a', [added(a)]), edit(image.id, 'Draw b', [added(b)])]);
    store.undo(image.id);
    store.close();

    const again = ProjectStore.open(path);
    expect(again.history(image.id)).toEqual({ undo: 'Draw a', redo: 'Draw b' });
    again.redo(image.id);
    expect(again.boxesOf(image.id)).toEqual([a, b]);
    again.undo(image.id);
    again.undo(image.id);
    expect(again.boxesOf(image.id)).toEqual([]);
    expect(again.history(image.id)).toEqual({ undo: null, redo: 'Draw a' });
    expect(kindOf(() => again.undo(image.id))).toBe('bad-input');
    again.close();
  });

  it('forgets what was undone once something new is drawn', () => {
    const { store, image, classId } = testProject();
    const a = labelBox(image.id, classId, 'a', [0, 0, 9, 9]);
    store.applyEdits([edit(image.id, 'Draw a', [added(a)])]);
    store.undo(image.id);
    store.applyEdits([edit(image.id, 'Draw again', [added({ ...a, boxPx: [1, 1, 8, 8] })])]);
    expect(store.history(image.id)).toEqual({ undo: 'Draw again', redo: null });
    expect(kindOf(() => store.redo(image.id))).toBe('bad-input');
  });

  it('keeps to one image', () => {
    const { store, path, image, classId } = testProject();
    const [second] = store.addImages([newImage(join(path, 'images'), 'two.png')]);
    store.applyEdits([edit(image.id, 'Draw', [added(labelBox(image.id, classId, 'a', [0, 0, 9, 9]))])]);
    expect(store.history(second!.id)).toEqual({ undo: null, redo: null });
    expect(kindOf(() => store.undo(second!.id))).toBe('bad-input');
    expect(store.boxesOf(image.id)).toHaveLength(1);
  });

  it('survives proposals replaced in between', () => {
    const { store, image, classId } = testProject();
    store.replaceProposals(image.id, 'run-0001', [{ classId, boxPx: [0, 0, 9, 9], score: 0.9 }]);
    const [proposal] = store.boxesOf(image.id);
    const accepted = { ...proposal!, status: 'label' as const };
    store.applyEdits([edit(image.id, 'Accept', [changed(proposal!, accepted)])]);
    store.undo(image.id);
    store.replaceProposals(image.id, 'run-0002', [{ classId, boxPx: [3, 3, 9, 9], score: 0.4 }]);
    store.redo(image.id);
    const boxes = store.boxesOf(image.id);
    expect(boxes.map((box) => [box.status, box.runId])).toEqual([
      ['proposal', 'run-0002'],
      ['label', 'run-0001'],
    ]);
    expect(boxes[1]).toMatchObject({ origin: 'model', score: 0.9 });
  });
});

describe('proposals', () => {
  it('replaces proposals, never labels, and leaves out what lies outside', () => {
    const { store, image, classId } = testProject();
    const label = labelBox(image.id, classId, 'a', [0, 0, 9, 9]);
    store.applyEdits([edit(image.id, 'Draw', [added(label)])]);
    store.replaceProposals(image.id, null, [
      { classId, boxPx: [-4, 0, 9, 9], score: 0.5 },
      { classId, boxPx: [300, 0, 309, 9], score: 0.5 },
    ]);
    expect(store.image(image.id)).toMatchObject({ labelCount: 1, proposalCount: 1 });
    store.replaceProposals(image.id, null, []);
    expect(store.boxesOf(image.id)).toEqual([label]);
  });
});

describe('classes', () => {
  it('keeps a name as text, whatever it looks like', () => {
    const { store, path } = testProject();
    const name = `<img src=x onerror="alert(1)">'; DROP TABLE boxes; --`;
    const { id } = store.addClass(name);
    expect(store.addClass(name).id).toBe(id);
    store.close();
    const again = ProjectStore.open(path);
    expect(again.classes().map((record) => record.name)).toEqual(['RBC', name]);
    again.close();
  });

  it('never gives an id twice', () => {
    const { store } = testProject();
    const first = store.addClass('WBC');
    store.removeClass(first.id);
    const second = store.addClass('WBC');
    expect(second.id).toBeGreaterThan(first.id);
    expect(store.classes().map(({ name }) => name)).toEqual(['RBC', 'WBC']);
  });

  it('makes no two classes that look the same', () => {
    const { store } = testProject();
    const { id } = store.addClass('caf\u00e9 au lait');
    for (const name of [' caf\u00e9 au lait ', 'cafe\u0301 au lait', 'caf\u00e9 au\nlait']) {
      expect(store.addClass(name)).toMatchObject({ id, name: 'caf\u00e9 au lait' });
    }
    expect(store.updateClass(id, { name: ' tea ' }).name).toBe('tea');
  });

  it('keeps a class that has boxes, and brings one back that undo needs', () => {
    const { store, image, classId } = testProject();
    const box = labelBox(image.id, classId, 'a', [0, 0, 9, 9]);
    store.applyEdits([edit(image.id, 'Draw', [added(box)])]);
    expect(problemIn(() => store.removeClass(classId)).message).toBe('The class "RBC" still has 1 box.');
    store.applyEdits([edit(image.id, 'Delete', [removed(box)])]);
    store.removeClass(classId);
    store.addClass('RBC');
    store.undo(image.id);
    expect(store.boxesOf(image.id)).toEqual([box]);
    expect(store.classes().find(({ id }) => id === classId)!.name).toBe('RBC (2)');
  });

  it('orders and renames', () => {
    const { store, classId } = testProject();
    const wbc = store.addClass('WBC');
    expect(store.reorderClasses([wbc.id]).map(({ name, order }) => [name, order])).toEqual([
      ['WBC', 0],
      ['RBC', 1],
    ]);
    expect(store.updateClass(classId, { name: 'Red', color: '#112233' })).toMatchObject({
      ...{ id: classId, name: 'Red', color: '#112233', order: 1 },
    });
    expect(kindOf(() => store.updateClass(classId, { name: 'WBC' }))).toBe('conflict');
    expect(kindOf(() => store.addClass('  '))).toBe('bad-input');
  });
});

describe('images', () => {
  it('knows an image by its place, also through a folder above or below', () => {
    const { store, path, image } = testProject();
    const [same] = store.addImages([newImage(join(path, 'images'), 'one.png', 'cd'.repeat(32))]);
    expect(same).toEqual(image);
    const [below] = store.addImages([newImage(join(path, 'images', 'deep'), 'two.png')]);
    expect(below!.relativePath).toBe('deep/two.png');
    expect(store.imageAt(join(path, 'images', 'deep', 'two.png'))!.id).toBe(below!.id);
    expect(store.images()).toHaveLength(2);
  });

  it('gives copies of one image ids of their own', () => {
    const { store, path } = testProject();
    const ids = store
      .addImages([newImage(join(path, 'x'), 'a.png'), newImage(join(path, 'y'), 'a.png')])
      .map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });

  it.each(['../secret.png', 'a/../../b.png', '/etc/passwd', 'C:/x.png', 'a//b.png', 'a\0.png'])(
    'refuses the path %j',
    (relativePath) => {
      const { store, path } = testProject();
      expect(kindOf(() => store.addImages([newImage(join(path, 'images'), relativePath)]))).toBe('bad-input');
      expect(store.images()).toHaveLength(1);
    },
  );

  it('sums up', () => {
    const { store, image, classId } = testProject();
    const draw = [added(labelBox(image.id, classId, 'a', [0, 0, 9, 9]))];
    store.applyEdits([edit(image.id, 'Draw', draw, { before: 'unlabelled', after: 'reviewed' })]);
    store.setSplit([image.id], 'val');
    expect(store.image(image.id).split).toBe('val');
    expect(store.summary()).toMatchObject({
      ...{ name: 'Test', imageCount: 1, labelCount: 1, proposalCount: 0, missingCount: 0, isSample: false },
      countByState: { unlabelled: 0, 'in-progress': 0, reviewed: 1, 'reviewed-empty': 0 },
    });
  });
});
