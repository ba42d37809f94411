/** Anchor coverage under the form's settings and under what could be tried instead, told plan by plan. */
import { coverImage, frameCost } from '../../shared/detector/coverage.ts';
import { summariseCoverage, worstCovered } from '../../shared/detector/coverageSummary.ts';
import { withAnchorScale } from '../../shared/detector/network.ts';
import { toProblemData } from '../../shared/domain/problem.ts';
import type { CoveragePlan, CoverageTask, FromCoverage, PlanCoverage } from './coverageProtocol.ts';

const worstShown = 12;
const imagesPerReport = 16;

export function coverageTask(task: CoverageTask, post: (message: FromCoverage) => void): void {
  const total = task.images.length * task.plans.length;
  try {
    task.plans.forEach((plan, index) => {
      const before = index * task.images.length;
      const report = (done: number) => post({ type: 'progress', done: before + done, total });
      const result = coverPlan(task, plan, report);
      post({ type: 'covered', result: index === 0 ? result : { ...result, worst: [] } });
    });
  } catch (error) {
    post({ type: 'failed', problem: toProblemData(error) });
  }
}

function coverPlan(
  { network, images }: CoverageTask,
  plan: CoveragePlan,
  report: (done: number) => void,
): PlanCoverage {
  const settings = { ...plan, network: withAnchorScale(network, plan.anchorScale) };
  const boxes = images.flatMap((image, index) => {
    if (index % imagesPerReport === 0) report(index);
    return coverImage(image, settings);
  });
  const costs = images.map((image) => frameCost(image, settings));
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return {
    plan,
    summary: summariseCoverage(boxes, network.foregroundClassCount),
    pixels: mean(costs.map(({ pixels }) => pixels)),
    anchors: mean(costs.map(({ anchors }) => anchors)),
    worst: worstCovered(boxes, worstShown),
  };
}
