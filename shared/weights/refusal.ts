/** Why a file was not read, as a Problem: the same words for every part of the PyTorch reader. */
import { Problem, type ProblemKind } from '../domain/problem.ts';

export const nothingLoaded = 'Nothing was loaded from it.';

/** A PyTorch file that is broken or lies. `reason` completes "Cannot read w.pth as a PyTorch file: …". */
export function damagedTorch(file: string, reason: string): Problem {
  return refusedTorch('damaged', file, reason, 'Copy or download it again, or choose another file.');
}

/** A PyTorch file that is whole but not for us; `remedy` says what to do instead. */
export function refusedTorch(kind: ProblemKind, file: string, reason: string, remedy: string): Problem {
  return new Problem(kind, `Cannot read ${file} as a PyTorch file: ${reason}.`, `${remedy} ${nothingLoaded}`);
}
