/** Anchor coverage under the form's settings and under what could be tried instead, told plan by plan. */
import { coverPlan } from '../../shared/detector/coveragePlans.ts';
import { toProblemData } from '../../shared/domain/problem.ts';
import type { CoverageTask, FromCoverage } from './coverageProtocol.ts';

const imagesPerReport = 16;

export function coverageTask(
  { network, plans, images }: CoverageTask,
  post: (message: FromCoverage) => void,
): void {
  const total = images.length * plans.length;
  try {
    plans.forEach((plan, place) => {
      const onImage = (index: number) => {
        if (index % imagesPerReport === 0) {
          post({ type: 'progress', done: place * images.length + index, total });
        }
      };
      post({ type: 'covered', result: coverPlan(network, images, plan, onImage) });
    });
  } catch (error) {
    post({ type: 'failed', problem: toProblemData(error) });
  }
}
