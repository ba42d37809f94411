/** What is said when a device was lost too often under a run. */
import type { ProblemData } from '../../shared/domain/problem.ts';
import { placeOf } from '../../shared/training/deviceLoss.ts';

/** Plain data, for it crosses to the host. */
export function waitsProblem(losses: number, checkpointStep: number | null, reason: string): ProblemData {
  return {
    kind: 'device-lost',
    message: `The GPU stopped ${losses} times in five minutes, so the run waits. It can go on from ${placeOf(checkpointStep)}.`,
    remedy:
      'Close other programs that use the GPU, then press Resume. If it happens again, train with a smaller batch or image side.',
    detail: reason,
  };
}
