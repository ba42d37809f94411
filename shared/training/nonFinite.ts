/** A loss that is no number any more: what it was made of, and which images were in the batch. */
import { Problem } from '../domain/problem.ts';
import type { StepReport } from './ports.ts';

export class NonFiniteLoss extends Problem {
  readonly step: number;
  /** Every term of the loss as text: NaN and Infinity have no JSON. */
  readonly terms: Record<string, string>;
  readonly images: string[];

  constructor(step: number, terms: Record<string, string>, images: string[]) {
    const bad = Object.keys(terms).filter((name) => !Number.isFinite(Number(terms[name])));
    const what = bad.length > 0 ? `the loss is not finite (${bad.join(', ')})` : 'a gradient is not finite';
    super(
      'not-finite',
      `At step ${step} ${what} on ${images.join(', ')}; the weights are as before the step.`,
      'Lower the learning rate or lengthen the warm-up, and look at the boxes of these images.',
      JSON.stringify(terms),
    );
    this.step = step;
    this.terms = terms;
    this.images = images;
  }
}

export function isFiniteReport(report: StepReport): boolean {
  const terms = report.balance.flatMap((entry) => [entry.foreground, entry.background]);
  return report.finite && [report.classification, report.box, ...terms].every(Number.isFinite);
}

export function describeReport(report: StepReport, classes: readonly string[]): Record<string, string> {
  const terms: Record<string, string> = {
    classification: String(report.classification),
    box: String(report.box),
  };
  for (const { classIndex, foreground, background } of report.balance) {
    const name = classes[classIndex] ?? String(classIndex);
    terms[`${name} foreground`] = String(foreground);
    terms[`${name} background`] = String(background);
  }
  return terms;
}
