/** What the killed process does, operation by operation: the same list for the child that does it and the parent that checks it. */
import type { BoxPx, BoxRecord } from '../../shared/domain/box.ts';
import type { BoxChange } from '../../shared/domain/edit.ts';
import { uniformAt } from '../../shared/domain/random.ts';

/** Boxes by id, as they must be after so many operations. */
export type Expected = Map<string, BoxRecord>;

/**
 * The `index`-th operation of a round on what the round has drawn so far: mostly a new box, now and then one moved or deleted. Returns
 * the change and applies it to `boxes`.
 */
export function nextChange(
  boxes: Expected,
  round: number,
  index: number,
  imageId: string,
  classId: number,
): BoxChange {
  const pick = uniformAt(round * 7919 + 1, index);
  const own = [...boxes.values()];
  const victim = own[Math.floor(uniformAt(round * 7919 + 2, index) * own.length)];
  if (victim && pick < 0.2) {
    boxes.delete(victim.id);
    return { before: victim, after: null };
  }
  const boxPx = boxAt(round, index);
  if (victim && pick < 0.5) {
    const after = { ...victim, boxPx };
    boxes.set(victim.id, after);
    return { before: victim, after };
  }
  const after: BoxRecord = {
    ...{ id: `${round}-${index}`, imageId, classId, boxPx, status: 'label', origin: 'person' },
    ...{ score: null, runId: null, ignore: false, difficult: false, occluded: false, truncated: false },
  };
  boxes.set(after.id, after);
  return { before: null, after };
}

function boxAt(round: number, index: number): BoxPx {
  const at = (channel: number) => uniformAt(round * 7919 + 3 + channel, index);
  const [x1, y1] = [at(0) * 500, at(1) * 400];
  return [x1, y1, x1 + 1 + at(2) * 100, y1 + 1 + at(3) * 60];
}
