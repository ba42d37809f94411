/** Collects an evaluation's images, and computes COCO's figures over them when told that there are no more. */
import { toProblemData } from '../../shared/domain/problem.ts';
import { evaluateDetectionsStepwise, type TruthBox } from '../../shared/evaluation/evaluateDetections.ts';
import { countAll } from '../../shared/training/evaluate.ts';
import type { Detection } from '../../shared/training/ports.ts';
import type { FromMetrics, ToMetrics } from './metricsProtocol.ts';

export function createMetricsTask(post: (message: FromMetrics) => void): (message: ToMetrics) => void {
  const truth: (readonly TruthBox[])[] = [];
  const found: (readonly Detection[])[] = [];
  return (message) => {
    if (message.type === 'image') {
      truth.push(message.boxes);
      found.push(message.detections);
      return;
    }
    const { classes } = message;
    try {
      const steps = evaluateDetectionsStepwise(truth, found, classes);
      let step = steps.next();
      for (; !step.done; step = steps.next()) post({ type: 'progress', ...step.value });
      const counts = countAll(truth, found, classes);
      post({ type: 'evaluated', evaluation: { metrics: step.value, counts } });
    } catch (error) {
      post({ type: 'failed', problem: toProblemData(error) });
    }
  };
}
