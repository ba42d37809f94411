/** What must hold of any list of operations, whatever they compute. */
import type { Op } from '../../../shared/engine/plan/ops.ts';
import { levelView, rowsOf, type TensorView } from '../../../shared/engine/plan/tensor.ts';

/** An operation's tensors: those it reads and the one it writes. */
export function tensorsOf(op: Op): { reads: TensorView[]; write: TensorView | null } {
  const given = (...views: (TensorView | null)[]) => views.filter((view) => view !== null);
  switch (op.op) {
    case 'conv':
    case 'groupNorm':
      return { reads: given(op.x, op.residual), write: op.y };
    case 'affine':
    case 'maxPool':
      return { reads: [op.x], write: op.y };
    case 'upsample':
      return { reads: given(op.x, op.lateral), write: op.y };
    case 'sum':
      return { reads: given(...op.inputs, op.mask), write: op.y };
    case 'convFilterGradient':
      return { reads: [op.x, op.dy], write: null };
    case 'foldNorms':
      return { reads: [], write: null };
    case 'convInputGradient':
    case 'upsampleGradient':
      return { reads: given(op.dy, op.target.add, op.target.mask), write: op.target.dx };
    default: {
      const { add = null, mask = null, dx = null } = op.target ?? {};
      return { reads: given(op.x, op.dy, add, mask), write: dx };
    }
  }
}

/** Complaints: of what is read before it is written, written twice, or read and written at once. */
export function unsoundIn(ops: readonly Op[], writtenBefore: readonly TensorView[]): string[] {
  const complaints: string[] = [];
  const written = new Set(writtenBefore.flatMap(levelsOf));
  for (const op of ops) {
    const { reads, write } = tensorsOf(op);
    for (const level of reads.flatMap(levelsOf)) {
      if (!written.has(level)) complaints.push(`${op.op} reads ${level}, which nothing wrote`);
    }
    if (!write) continue;
    for (const level of levelsOf(write)) {
      if (written.has(level)) complaints.push(`${op.op} writes ${level}, which was written before`);
      written.add(level);
    }
    if ((op.op === 'conv' || op.op === 'groupNorm') && op.residual && overlap(op.x, op.residual))
      complaints.push(`${op.op} adds what it reads`);
    if (op.op === 'convInputGradient' && op.target.add && overlap(op.dy, op.target.add)) {
      complaints.push(`${op.op} adds what it reads`);
    }
  }
  return complaints;
}

function levelsOf({ tensor, startRow, levels }: TensorView): string[] {
  if (levels.length === tensor.levels.length) return levels.map((_, level) => `${tensor.id}, level ${level}`);
  const level = tensor.levels.findIndex((_, index) => levelView(tensor, index).startRow === startRow);
  return [`${tensor.id}, level ${level}`];
}

function overlap(a: TensorView, b: TensorView): boolean {
  const isApart = a.startRow + rowsOf(a) <= b.startRow || b.startRow + rowsOf(b) <= a.startRow;
  return a.tensor.id === b.tensor.id && !isApart;
}
