import { describe, expect, it } from 'vitest';
import { applyEdit, reverseEdit } from '../../shared/domain/edit.ts';
import { editOf, mergeEdits, stateAfterLabels } from './edits.ts';
import { testBox, testImage } from './testing/memoryHost.ts';

describe('the state after labels changed', () => {
  it('never claims a review that nobody made', () => {
    expect(stateAfterLabels('unlabelled', 1)).toBe('in-progress');
    expect(stateAfterLabels('unlabelled', 0)).toBe('unlabelled');
    expect(stateAfterLabels('reviewed-empty', 1)).toBe('in-progress');
    expect(stateAfterLabels('reviewed', 0)).toBe('in-progress');
    expect(stateAfterLabels('reviewed', 2)).toBe('reviewed');
    expect(stateAfterLabels('in-progress', 0)).toBe('in-progress');
  });
});

describe('edits', () => {
  const image = testImage('a');
  const box = testBox('one', 'a');

  it('do not call a proposal a label', () => {
    const proposal = { ...box, status: 'proposal' as const };
    const edit = editOf({ image, boxes: [] }, 'Predict', [{ before: null, after: proposal }]);
    expect(edit.state).toBeNull();
  });

  it('merge to what takes back the whole gesture', () => {
    const middle = { ...box, boxPx: [11, 20, 111, 80] as const };
    const end = { ...box, boxPx: [12, 20, 112, 80] as const };
    const first = editOf({ image, boxes: [box] }, 'Nudge box', [{ before: box, after: middle }]);
    const second = editOf({ image, boxes: [middle] }, 'Nudge box', [{ before: middle, after: end }]);
    const merged = mergeEdits(first, second);
    expect(applyEdit([box], merged)).toEqual([end]);
    expect(applyEdit([end], reverseEdit(merged))).toEqual([box]);
  });
});
